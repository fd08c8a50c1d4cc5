using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>Who types something is understood, or told what is right.</summary>
public class CommandLineTests
{
    [Fact]
    public async Task Help_names_every_switch_with_its_default_every_command_and_examples()
    {
        var help = string.Join('\n', await RunAsync(0, "--help"));
        Assert.All(
            ["--homeserver <URL>", "--registration <FILE>", "--logs <FOLDER>", "--retain-days <DAYS>", "--rooms-per-hour <NUMBER>", "--moderator <USER>", "--max-body-bytes <BYTES>", "--urls <URL>", "--help", "--version", "check", "demo", "Examples:"],
            word => Assert.Contains(word, help, StringComparison.Ordinal));
        Assert.All(
            ["http://localhost:8008", "registration.yaml", "logs", "all", "60", "nobody", "134217728", "where the registration's url says"],
            value => Assert.Contains($"[default: {value}]", help, StringComparison.Ordinal));
        Assert.DoesNotContain("--contentRoot", help, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("check")]
    [InlineData("demo")]
    [InlineData("render")]
    public async Task Help_of_a_command_names_it(string command) =>
        Assert.Contains($"LoggingService {command}", string.Join('\n', await RunAsync(0, command, "--help")), StringComparison.Ordinal);

    [Fact]
    public async Task The_version_is_that_of_the_build() =>
        Assert.Matches(@"^\d+\.\d+\.\d+(\+[0-9a-f]+)?$", Assert.Single(await RunAsync(0, "--version")));

    [Theory]
    [InlineData("There is no --homeservr. Did you mean --homeserver?", "--homeservr", "http://127.0.0.1:9")]
    [InlineData("There is no --Logs. Did you mean --logs?", "--Logs=here")]
    [InlineData("There is no --retaindays. Did you mean --retain-days?", "--retaindays", "3")]
    [InlineData("There is no chekc. Did you mean check?", "chekc")]
    [InlineData("There is no frobnicate. For all switches: --help", "frobnicate")]
    [InlineData("There is no --port. For all switches: --help", "--port", "5000")]
    [InlineData("demo has no --fsat. Did you mean --fast?", "demo", "--fsat")]
    [InlineData("demo has no --retain-days.", "demo", "--retain-days", "3")]
    [InlineData("Write --logs after demo", "--logs", "here", "demo", "--fast")]
    [InlineData("--logs needs a value.", "--logs")]
    [InlineData("--logs= needs a value.", "--logs=")]
    [InlineData("render needs a FILE.", "render")]
    [InlineData("--LoggingService:Logs needs a value", "--LoggingService:Logs")]
    [InlineData("LoggingService:Lgos is not a setting. The settings are Homeserver, ", "--LoggingService:Lgos", "here")]
    [InlineData("LoggingService:RetainDays is \"0\"", "--retain-days", "0")]
    [InlineData("LoggingService:Moderators:1 is \"bob\"", "--moderator", "@alice:example.org", "--moderator", "bob")]
    public async Task What_is_not_understood_is_one_line_with_the_nearest_right_word(string expected, params string[] typed) =>
        Assert.Contains(expected, Assert.Single(await RunAsync(1, typed)), StringComparison.Ordinal);

    /// <returns>The lines that were written, in a folder in which nothing was made.</returns>
    private static async Task<IReadOnlyList<string>> RunAsync(int exitCode, params string[] typed)
    {
        using var folder = TempFolder.ForCaller();
        await using var service = ServiceProcess.Start(folder.Path, typed);
        Assert.Equal(exitCode, await service.WaitForExitAsync());
        Assert.Equal(exitCode == 0 ? service.Output : [], service.StandardOutput);
        Assert.DoesNotContain(Directory.GetFileSystemEntries(folder.Path), path => Path.GetFileName(path) != "registration.yaml");
        return service.Output;
    }
}
