using System.Text.RegularExpressions;
using System.Xml.Linq;
using LoggingService.Registration;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The command line: its help, and one line for each error.</summary>
public class CommandLineTests
{
    [Fact]
    public async Task Help_lists_every_option_with_its_default_every_command_and_examples()
    {
        var help = string.Join('\n', await RunAsync(0, "--help"));
        Assert.All(
            [
                "--homeserver <URL>", "--registration <FILE>", "--logs <FOLDER>", "--retain-days <DAYS>",
                "--compress-after-days <DAYS>", "--rooms-per-hour <NUMBER>",
                "--moderator <USER>", "--max-body-bytes <SIZE>", "--urls <URL>", "--help", "--version", "check", "demo", "Examples:",
            ],
            name => Assert.Contains(name, help, StringComparison.Ordinal));
        Assert.All(
            ["http://localhost:8008", "registration.yaml", "logs", "all", "60", "none", "134217728", "the registration's url"],
            value => Assert.Contains($"[default: {value}]", help, StringComparison.Ordinal));
        Assert.DoesNotContain("--contentRoot", help, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("check")]
    [InlineData("create-registration")]
    [InlineData("demo")]
    [InlineData("render")]
    public async Task Help_of_a_command_shows_its_usage(string command)
    {
        var help = string.Join('\n', await RunAsync(0, command, "--help"));
        Assert.Contains($"LoggingService {command}", help, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_that_of_the_project_with_the_commit_of_the_build()
    {
        var project = XDocument.Load(Path.Combine(Checkout.Folder, "LoggingService", "LoggingService.csproj"));
        var version = Regex.Escape(project.Descendants("Version").Single().Value);
        var commit = Path.Exists(Path.Combine(Checkout.Folder, ".git")) ? @"\+[0-9a-f]{40}" : "";
        Assert.Matches($"^{version}{commit}$", Assert.Single(await RunAsync(0, "--version")));
    }

    [Theory]
    [InlineData("'--homeservr' was not matched. Did you mean one of the following? --homeserver.", "--homeservr", "http://127.0.0.1:9")]
    [InlineData("'--Logs' was not matched. Did you mean one of the following? --logs.", "--Logs=here")]
    [InlineData("'--retaindays' was not matched. Did you mean one of the following? --retain-days.", "--retaindays", "3")]
    [InlineData("'chekc' was not matched. Did you mean one of the following? check.", "chekc")]
    [InlineData("Unrecognized command or argument 'frobnicate'. For all options: --help", "frobnicate")]
    [InlineData("'--port' was not matched. ", "--port", "5000")]
    [InlineData("'--fsat' was not matched. Did you mean one of the following? --fast", "demo", "--fsat")]
    [InlineData("Unrecognized command or argument '--retain-days'. For all options: demo --help", "demo", "--retain-days", "3")]
    [InlineData("Unrecognized command or argument 'demo'. ", "demo", "demo")]
    [InlineData("Unrecognized command or argument 'check=1'. ", "check=1")]
    [InlineData("'--logs' must follow 'demo'", "--logs", "here", "demo", "--fast")]
    [InlineData("Required argument missing for option: '--logs'. For all options: --help", "--logs")]
    [InlineData("--logs= needs a value", "--logs=")]
    [InlineData("Required argument 'FILE' missing for command: 'render'. For all options: render --help", "render")]
    [InlineData("--LoggingService:Logs needs a value", "--LoggingService:Logs")]
    [InlineData("--LoggingService:Lgos is not a setting. Did you mean Logs?", "--LoggingService:Lgos", "here")]
    [InlineData("--retain-days is \"0\"", "--retain-days", "0")]
    [InlineData("--moderator is \"bob\"", "--moderator", "@alice:example.org", "--moderator", "bob")]
    public async Task An_invalid_command_line_is_one_line_with_the_nearest_valid_name(string expected, params string[] args) =>
        Assert.Contains(expected, Assert.Single(await RunAsync(78, args)), StringComparison.Ordinal);

    [Fact]
    public async Task A_registration_is_created_before_the_first_start_with_the_address_of_the_service()
    {
        using var folder = TempFolder.ForCaller();
        string[] command = ["create-registration", "--registration", folder["its.yaml"], "--url", "http://logs.example.org:5000/bridge/"];
        await using var created = ServiceProcess.Start(folder.Path, command);
        Assert.Equal(0, await created.WaitForExitAsync());

        Assert.Equal($"Created {folder["its.yaml"]} with new tokens. The homeserver needs a copy:", created.StandardOutput[0]);
        Assert.Equal("http://logs.example.org:5000/bridge", $"{RegistrationReader.Read(folder["its.yaml"]).Url}");
        Assert.Equal([folder["its.yaml"]], Directory.GetFileSystemEntries(folder.Path));
        await ServiceProcess.AssertOneLineAsync(78, folder, "the file exists already and was left unchanged", command);
        string[] invalid = ["create-registration", "--registration", folder["other.yaml"], "--url", "logs.example.org"];
        await ServiceProcess.AssertOneLineAsync(78, folder, "--url is \"logs.example.org\", which is not an absolute", invalid);
    }

    /// <returns>The output. The working directory stays empty.</returns>
    private static async Task<IReadOnlyList<string>> RunAsync(int exitCode, params string[] args)
    {
        using var folder = TempFolder.ForCaller();
        await using var service = ServiceProcess.Start(folder.Path, args);
        Assert.Equal(exitCode, await service.WaitForExitAsync());
        Assert.Equal(exitCode == 0 ? service.Output : [], service.StandardOutput);
        Assert.DoesNotContain(Directory.GetFileSystemEntries(folder.Path), path => Path.GetFileName(path) != "registration.yaml");
        return service.Output;
    }
}
