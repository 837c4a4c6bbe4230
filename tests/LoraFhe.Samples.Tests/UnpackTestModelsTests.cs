using LoraFhe.Fixtures;

namespace LoraFhe.Samples.Tests;

/// <summary>The script that makes the folder of big models.</summary>
public sealed class UnpackTestModelsTests
{
    [Theory]
    [InlineData("", "MODELS_FOLDER OUT", "two arguments")]
    [InlineData("--help", "MODELS_FOLDER OUT", "two arguments")]
    [InlineData("no/such/folder out", "MODELS_FOLDER 'no/such/folder'", "the folder of the packed models")]
    public void A_wrong_argument_is_one_line_that_names_it_and_what_was_expected_and_nothing_is_made(string arguments, string names, string expects)
    {
        using var folder = new TemporaryFolder();
        var script = RepositoryFolder.At(".ci", "unpack-test-models");

        Refusal.AssertOneLine(SampleProgram.FromShell($"cd '{folder.At("")}' && bash '{script}' {arguments}"), names, expects);

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.At("")));
    }
}
