using System.IO.Compression;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using LoraFhe.Fixtures;

namespace LoraFhe.Packages.Tests;

/// <summary>What a user does: reference the packages, paste the README's first example, run it.</summary>
public sealed partial class PackageTests : IDisposable
{
#if RELEASE
    private const string Configuration = "Release";
#else
    private const string Configuration = "Debug";
#endif

    private static readonly string[] Packages = ["LoraFhe.Cryptography", "LoraFhe.Cryptography.Client", "LoraFhe.Safetensors", "LoraFhe", "LoraFhe.Models"];

    // A version of its own, so that NuGet's cache never serves an older build; removed from the cache afterwards.
    private readonly string _version = $"0.1.0-test.{Environment.ProcessId}.{TimeProvider.System.GetUtcNow():yyyyMMddHHmmss}";
    private readonly string _folder = Directory.CreateTempSubdirectory("lorafhe-package-").FullName;

    [Fact]
    public void A_fresh_console_project_runs_the_first_example_of_the_readme_in_execute_mode()
    {
        var packages = Pack();
        var project = WriteProject(packages, Example(0), "LoraFhe");

        DotNet.Run(project, "build", "-c", "Release", "--nologo");
        var output = DotNet.Run(project, "run", "-c", "Release", "--no-build");

        var (before, after) = Losses(output);
        Assert.True(after < 0.5 * before, output);
    }

    [Fact]
    public void The_second_example_of_the_readme_is_a_whole_program_too()
    {
        var project = WriteProject(Pack(), Example(1), "LoraFhe.Models");
        DotNet.Run(project, "build", "-c", "Release", "--nologo");
    }

    [Fact]
    public void Every_package_carries_license_readme_and_documentation()
    {
        var packages = Pack();
        foreach (var name in Packages)
        {
            using var package = ZipFile.OpenRead(Path.Combine(packages, $"{name}.{_version}.nupkg"));
            var entries = package.Entries.Select(e => e.FullName).ToList();
            Assert.Contains("README.md", entries);
            Assert.Contains($"lib/net10.0/{name}.xml", entries);
            Assert.Contains("<license type=\"expression\">MIT</license>", Specification(package, name), StringComparison.Ordinal);
        }
    }

    // Nobody who adds a package shall get a version of something that only our own build asked for, or libtorch for another machine.
    [Fact]
    public void A_package_depends_on_what_it_uses_and_on_no_libtorch()
    {
        string[] logging = ["Microsoft.Extensions.Logging", "Microsoft.Extensions.Logging.Abstractions", "Serilog", "Serilog.Extensions.Logging", "Serilog.Sinks.Console", "Serilog.Sinks.File"];
        var expected = new Dictionary<string, string[]>
        {
            ["LoraFhe.Cryptography"] = [],
            ["LoraFhe.Cryptography.Client"] = ["LoraFhe.Cryptography"],
            ["LoraFhe.Safetensors"] = [],
            ["LoraFhe"] = ["LoraFhe.Cryptography.Client", "LoraFhe.Safetensors", "TorchSharp", .. logging],

            // What comes through LoraFhe is pinned, and NuGet lists it again, at the same versions.
            ["LoraFhe.Models"] = ["LoraFhe", "TorchSharp", .. logging],
        };
        var packages = Pack();
        foreach (var name in Packages)
        {
            using var package = ZipFile.OpenRead(Path.Combine(packages, $"{name}.{_version}.nupkg"));
            var found = Dependency().Matches(Specification(package, name)).Select(match => match.Groups["id"].Value);
            Assert.Equal(expected[name].Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void An_assembly_carries_its_symbols_and_no_path_of_the_machine_that_built_it()
    {
        var packages = Pack();
        foreach (var name in Packages)
        {
            using var package = ZipFile.OpenRead(Path.Combine(packages, $"{name}.{_version}.nupkg"));
            using var assembly = new MemoryStream();
            using (var entry = package.GetEntry($"lib/net10.0/{name}.dll")!.Open())
            {
                entry.CopyTo(assembly);
            }

            assembly.Position = 0;

            using var reader = new PEReader(assembly);
            var embedded = Assert.Single(reader.ReadDebugDirectory(), entry => entry.Type == DebugDirectoryEntryType.EmbeddedPortablePdb);
            using var provider = reader.ReadEmbeddedPortablePdbDebugDirectoryData(embedded);
            var symbols = provider.GetMetadataReader();
            var sources = symbols.Documents.Select(document => symbols.GetString(symbols.GetDocument(document).Name)).ToList();
            Assert.NotEmpty(sources);
            Assert.All(sources, source => Assert.StartsWith("/_/", source, StringComparison.Ordinal));
            var codeView = Assert.Single(reader.ReadDebugDirectory(), entry => entry.Type == DebugDirectoryEntryType.CodeView);
            Assert.Equal($"{name}.pdb", reader.ReadCodeViewDebugDirectoryData(codeView).Path);
        }
    }

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        foreach (var name in Packages)
        {
            var cached = Path.Combine(cache, name.ToLowerInvariant(), _version);
            if (Directory.Exists(cached))
            {
                Directory.Delete(cached, recursive: true);
            }
        }
    }

    private string Pack()
    {
        var packages = Path.Combine(_folder, "packages");
        foreach (var name in Packages)
        {
            DotNet.Run(
                RepositoryFolder.At("src", name), "pack", "-c", Configuration, "--no-build", "--nologo", "-o", packages,
                $"-p:PackageVersion={_version}", $"-p:Version={_version}");
        }

        return packages;
    }

    private string WriteProject(string packages, string program, string package)
    {
        var project = Path.Combine(_folder, "app");
        Directory.CreateDirectory(project);
        File.WriteAllText(Path.Combine(project, "Program.cs"), program);
        File.WriteAllText(Path.Combine(project, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <add key="packed" value="{packages}" />
              </packageSources>
            </configuration>
            """);
        File.WriteAllText(Path.Combine(project, "app.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <CreateHardLinksForCopyFilesToOutputDirectoryIfPossible>true</CreateHardLinksForCopyFilesToOutputDirectoryIfPossible>
                <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="{package}" Version="{_version}" />
                <PackageReference Include="TorchSharp-cpu" Version="0.107.0" />
              </ItemGroup>
            </Project>
            """);
        return project;
    }

    private static string Specification(ZipArchive package, string name)
    {
        using var specification = new StreamReader(package.GetEntry($"{name}.nuspec")!.Open());
        return specification.ReadToEnd();
    }

    private static string Example(int number)
    {
        var blocks = CSharpBlock().Matches(File.ReadAllText(RepositoryFolder.At("README.md")));
        Assert.Equal(2, blocks.Count);
        return blocks[number].Groups["code"].Value;
    }

    private static (double Before, double After) Losses(string output)
    {
        var match = LossLine().Match(output);
        Assert.True(match.Success, output);
        return (Number("before"), Number("after"));

        double Number(string group) => double.Parse(match.Groups[group].Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();

    [GeneratedRegex("<dependency id=\"(?<id>[^\"]+)\"")]
    private static partial Regex Dependency();

    [GeneratedRegex(@"loss (?<before>[0-9.]+) -> (?<after>[0-9.]+)")]
    private static partial Regex LossLine();
}
