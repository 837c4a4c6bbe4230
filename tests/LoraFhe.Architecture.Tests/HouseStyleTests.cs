using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace LoraFhe.Architecture.Tests;

/// <summary>Habits of this house that no analyzer checks.</summary>
public sealed partial class HouseStyleTests
{
    // What is one for the process by its nature: a loader is installed once, no two calls may count alike, and faults that wait are counted
    // so that a step without one need not look through its model.
    private static readonly string[] MutableStatics =
        ["LibTorch._initialized", "LibTorch._isLoaded", "KernelSecretSource._counter", "BackwardFault._pending"];

    // The one exception: models too big for the repository. They are named by LORAFHE_TEST_MODELS, and where .ci/run finds them it fails if a test was skipped.
    private static readonly string[] SkipWithoutTheirModel = ["RealModelFactAttribute.cs", "RealModelTheoryAttribute.cs"];

    [Fact]
    public void A_file_of_the_library_holds_one_type_and_has_its_name()
    {
        var files = SourceFiles.Below("src").Where(file => !SourceFiles.Relative(file).Contains("buildTransitive", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(files);
        Assert.All(files, file =>
        {
            var types = TopLevelType().Matches(File.ReadAllText(file)).Select(match => match.Groups["name"].Value).Distinct();
            Assert.Equal([Path.GetFileName(file).Split('.')[0]], types);
        });
    }

    [Fact]
    public void Public_classes_are_sealed_or_can_be_derived_here_only()
    {
        var open = Types().Where(type => type is { IsClass: true, IsVisible: true, IsSealed: false })
            .Where(type => type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Any(constructor => constructor.IsPublic || constructor.IsFamily || constructor.IsFamilyOrAssembly))
            .Select(type => type.FullName);
        Assert.Empty(open);
    }

    [Fact]
    public void Nothing_static_changes()
    {
        var changing = Types().Where(type => !type.IsDefined(typeof(CompilerGeneratedAttribute)) && !type.Name.StartsWith('<'))
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(field => field is { IsLiteral: false, IsInitOnly: false } && !field.IsDefined(typeof(CompilerGeneratedAttribute)))
            .Where(field => field.FieldType.BaseType != typeof(MulticastDelegate))
            .Select(field => $"{field.DeclaringType!.Name}.{field.Name}");
        Assert.Equal(MutableStatics.Order(StringComparer.Ordinal), changing.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_type_is_called_by_what_it_is_not() =>
        Assert.DoesNotContain(Types().Select(type => type.Name), name => VagueName().IsMatch(name));

    [Fact]
    public void Time_comes_from_a_TimeProvider_and_nothing_is_switched_off() => Assert.All(Sources(), file =>
    {
        var text = File.ReadAllText(file);
        Assert.False(OtherClock().IsMatch(text), $"{SourceFiles.Relative(file)}: {OtherClock().Match(text).Value}");
        Assert.False(text.Contains("#pragma warning", StringComparison.Ordinal), SourceFiles.Relative(file));
        Assert.All(Suppression().Matches(text), match => Assert.Contains("Justification", match.Value, StringComparison.Ordinal));
    });

    [Fact]
    public void Tests_neither_sleep_nor_are_left_out_but_for_want_of_a_big_model() => Assert.Equal(
        SkipWithoutTheirModel,
        SourceFiles.Below("tests").Where(file => Path.GetFileName(file) != "HouseStyleTests.cs")
            .Where(file => SleepOrSkip().IsMatch(File.ReadAllText(file)))
            .Select(file => Path.GetFileName(file))
            .Order(StringComparer.Ordinal));

    private static IEnumerable<Type> Types() => LoraFheAssemblies.Names.Select(LoraFheAssemblies.Load).SelectMany(assembly => assembly.GetTypes())
        .Where(type => type.Namespace?.StartsWith("LoraFhe", StringComparison.Ordinal) == true);

    private static IEnumerable<string> Sources() =>
        SourceFiles.Below("src", "samples", "tools", "tests").Where(file => Path.GetFileName(file) != "HouseStyleTests.cs");

    [GeneratedRegex(@"^(public|internal)(?: \w+)* (?:class|struct|record|interface|enum) (?!struct|class)(?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex TopLevelType();

    [GeneratedRegex("(Utils?|Utilities|Helpers?|Manager)(`|$)")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"\bDateTime(Offset)?\.(Utc)?Now\b|\bnew Stopwatch\b|\bStopwatch\.\w+|\bTickCount(64)?\b")]
    private static partial Regex OtherClock();

    [GeneratedRegex(@"\[(assembly: )?(SuppressMessage|UnconditionalSuppressMessage)\(.*?\)\]", RegexOptions.Singleline)]
    private static partial Regex Suppression();

    [GeneratedRegex(@"Thread\.Sleep|Task\.Delay|\bSkip(Unless|When|Type)? ?=(?!>)|Assert\.Skip|Explicit ?= ?true")]
    private static partial Regex SleepOrSkip();
}
