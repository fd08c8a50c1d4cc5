using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>A script can check that the homeserver and the service reach each other.</summary>
public class CheckCommandTests
{
    [Fact]
    public async Task Success_is_three_lines_and_exit_code_0()
    {
        using var homeserver = new FakeHomeserver();
        var (exitCode, lines) = await CheckAsync(homeserver.Address);

        Assert.Equal(0, exitCode);
        Assert.Equal(3, lines.Count);
        Assert.Equal($"ok       The homeserver answers at {homeserver.Address}.", lines[0]);
        Assert.Equal("ok       It has loaded the registration and knows this service, as @logging:localhost.", lines[1]);
        Assert.StartsWith("ok       ", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_homeserver_on_this_machine_is_not_reached_through_the_proxy_of_the_environment()
    {
        using var homeserver = new FakeHomeserver();
        var (exitCode, lines) = await CheckAsync(homeserver.Address, new() { ["http_proxy"] = "http://127.0.0.1:9" });
        Assert.True(exitCode == 0, string.Join('\n', lines));
    }

    [Fact]
    public async Task A_failure_is_exit_code_1_with_advice_and_the_checks_that_could_not_run()
    {
        var (exitCode, lines) = await CheckAsync("http://127.0.0.1:9");

        Assert.Equal(1, exitCode);
        Assert.Equal(
            [
                "failed   The homeserver can't be reached at http://127.0.0.1:9 (Connection refused). "
                    + "Is it running? If it listens elsewhere, say where: --homeserver URL",
                "unknown  whether it has loaded the registration.",
                "unknown  whether it reaches this service at https://logs.example.org/matrix.",
            ],
            lines);
    }

    [Fact]
    public async Task Without_a_registration_the_check_fails_and_creates_none()
    {
        using var folder = TempFolder.ForCaller();
        await using var check = ServiceProcess.Start(folder.Path, "check");

        Assert.Equal(1, await check.WaitForExitAsync());
        Assert.Contains("registration.yaml: no such file", Assert.Single(check.StandardError), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    // The registration's url has another host: a check doesn't listen, and writes no logs.
    private static async Task<(int ExitCode, IReadOnlyList<string> Lines)> CheckAsync(
        string homeserver, Dictionary<string, string?>? environment = null)
    {
        using var folder = TempFolder.ForCaller();
        var registration = ServiceUnderTest.RegistrationText("https://logs.example.org/matrix");
        await File.WriteAllTextAsync(folder["registration.yaml"], registration, TestContext.Current.CancellationToken);
        File.SetUnixFileMode(folder["registration.yaml"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using var check = ServiceProcess.Start(folder.Path, environment ?? [], "check", "--homeserver", homeserver);
        var exitCode = await check.WaitForExitAsync();
        Assert.Equal([folder["registration.yaml"]], Directory.GetFileSystemEntries(folder.Path));
        return (exitCode, check.Output);
    }
}
