using System.Text.RegularExpressions;
using System.Xml.Linq;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Packaging;

/// <summary>packaging/release: all files of a release, with the one version.</summary>
[Collection(nameof(Release))]
public sealed class ReleaseTests(Release release)
{
    private static readonly string Version = XDocument.Load(Path.Combine(Checkout.Folder, "LoggingService", "LoggingService.csproj"))
        .Descendants("Version").Single().Value;

    [Fact]
    public async Task The_version_of_the_project_is_the_version_of_every_file_of_a_release()
    {
        var sums = await release.GetAsync("SHA256SUMS");
        var folder = Path.GetDirectoryName(sums)!;
        var files = Directory.GetFiles(folder).Select(Path.GetFileName).Except(["SHA256SUMS"]).ToList();

        Assert.Equal(["deb", "gz", "tar"], files.Select(file => file!.Split('.')[^1]).Order());
        Assert.All(files, file => Assert.Matches($@"^logging-service[-_]{Regex.Escape(Version)}-", file));
        Assert.Equal(files.Order(), File.ReadLines(sums).Select(line => line[66..]).Order());
        await ProcessOutput.GetAsync("sh", "-c", $"cd '{folder}' && sha256sum --check --strict SHA256SUMS");

        var package = await ProcessOutput.GetAsync("dpkg-deb", "--field", await release.GetAsync(".deb"), "Version");
        Assert.Equal($"{Version}-1", package.Trim());
    }

    [Fact]
    public async Task The_tarball_contains_the_program_its_unit_its_man_page_and_its_documents()
    {
        var tarball = await release.GetAsync(".tar.gz");
        using var folder = TempFolder.ForCaller();
        await ProcessOutput.GetAsync("tar", "-xzf", tarball, "-C", folder.Path);

        var content = Assert.Single(Directory.GetDirectories(folder.Path));
        Assert.Equal(
            [
                "LoggingService", "LoggingService.1", "THIRD-PARTY-NOTICES.txt", "appsettings.json", "libe_sqlite3.so",
                "logging-service-pages.service", "logging-service.service",
            ],
            Directory.GetFiles(content).Select(Path.GetFileName).Where(file => !file!.EndsWith(".md") && !file.EndsWith(".yaml"))
                .Order(StringComparer.Ordinal));
        Assert.True(File.Exists(Path.Combine(content, "docs", "install.md")));
        var version = (await ProcessOutput.GetAsync(Path.Combine(content, "LoggingService"), "--version")).Trim();
        Assert.Matches($@"^{Regex.Escape(Version)}\+[0-9a-f]{{40}}$", version);
    }

    [Fact]
    public async Task The_man_page_has_every_command_and_option_of_the_help()
    {
        using var folder = TempFolder.ForCaller();
        await ProcessOutput.GetAsync("tar", "-xzf", await release.GetAsync(".tar.gz"), "-C", folder.Path, "--strip-components=1");
        var file = folder["LoggingService.1"];

        var page = await ProcessOutput.GetAsync("man", "--warnings", "--local-file", file);
        var words = page.Split((char[])[' ', '\n', ','], StringSplitOptions.RemoveEmptyEntries).ToHashSet();
        var help = (await ProcessOutput.GetAsync(folder["LoggingService"], "--help"))
            .Split('\n')
            .Where(line => line.StartsWith("  "))
            .ToList();
        var names = help.SelectMany(line => line.Split((char[])[' ', ','])).Where(word => word.StartsWith("--")).ToHashSet();
        Assert.Superset(names, words);
        Assert.True(names.Count > 8);
        var commands = help.SkipWhile(line => !line.StartsWith("  check")).TakeWhile(line => !line.StartsWith("  LoggingService"));
        Assert.All(commands, line => Assert.Contains($"LoggingService {line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]}", page));
        Assert.DoesNotContain("warning", page, StringComparison.Ordinal);
    }
}
