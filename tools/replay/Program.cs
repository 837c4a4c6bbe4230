// Replays what `samples/02_FineTuneText --record DIR` wrote, with schoolbook arithmetic of its own: no line of the library is used here.
// From the bytes that crossed and the spent secrets it takes off the encryption, multiplies by the public weights itself, and compares.
// The formulas are those of docs/scheme.md; speed is no aim, being readable is. It also looks at the words that crossed by themselves: whoever has no
// secret must not be able to tell them from noise.
// Exit code 0: all calls are right. 1: one is not, or a file is missing or damaged. 2: the argument is no recording.
using System.Globalization;
using System.Text.Json;
using LoraFhe.Tools.Replay;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not [var folder])
{
    Console.Error.WriteLine($"{args.Length} arguments were given. Expected one: a folder that samples/02_FineTuneText wrote with --record.");
    return 2;
}

if (!File.Exists(Path.Combine(folder, "calls.jsonl")))
{
    Console.Error.WriteLine($"'{folder}' is not a recording: it has no calls.jsonl. Expected a folder that samples/02_FineTuneText wrote with --record.");
    return 2;
}

try
{
    return new Replay(folder).Run(Console.Out) ? 0 : 1;
}
catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException
    or FormatException or InvalidOperationException)
{
    Console.Error.WriteLine($"{folder}: {e.Message}");
    return 1;
}
