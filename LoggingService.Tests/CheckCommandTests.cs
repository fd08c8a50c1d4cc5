using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The command check reports the connection to the homeserver, for people and scripts.</summary>
public class CheckCommandTests
{
    [Fact]
    public async Task Success_is_three_lines_and_exit_code_0()
    {
        using var homeserver = new FakeHomeserver();
        var (exitCode, lines) = await CheckAsync(homeserver.Address);

        Assert.Equal(0, exitCode);
        Assert.Equal(3, lines.Count);
        Assert.Equal($"ok       homeserver {homeserver.Address}: responds", lines[0]);
        Assert.Matches("^ok       registration /.*/registration.yaml: loaded, the homeserver knows this service as @logging:localhost$",
            lines[1]);
        Assert.Equal("ok       reachability https://logs.example.org/matrix: the homeserver reaches this service", lines[2]);
    }

    [Fact]
    public async Task A_homeserver_on_the_loopback_address_is_called_without_a_proxy()
    {
        using var homeserver = new FakeHomeserver();
        var (exitCode, lines) = await CheckAsync(homeserver.Address, new() { ["http_proxy"] = "http://127.0.0.1:9" });
        Assert.True(exitCode == 0, string.Join('\n', lines));
    }

    [Fact]
    public async Task A_failure_is_exit_code_1_with_advice_and_the_pending_checks()
    {
        var (exitCode, lines) = await CheckAsync("http://127.0.0.1:9");

        Assert.Equal(1, exitCode);
        Assert.Equal(3, lines.Count);
        Assert.Equal(
            "failed   homeserver http://127.0.0.1:9: cannot connect (Connection refused). "
            + "Start the homeserver, or set its address with --homeserver URL.",
            lines[0]);
        Assert.Matches("^unknown  registration /.*/registration.yaml: not checked, because an earlier check failed$", lines[1]);
        Assert.Equal("unknown  reachability https://logs.example.org/matrix: not checked, because an earlier check failed", lines[2]);
    }

    [Fact]
    public async Task A_missing_registration_is_an_error_and_is_not_created()
    {
        using var folder = TempFolder.ForCaller();
        await using var check = ServiceProcess.Start(folder.Path, "check");

        Assert.Equal(1, await check.WaitForExitAsync());
        Assert.Contains("registration.yaml: no such file", Assert.Single(check.StandardError), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    /// <summary>Checks with a url of another machine: the command does not listen, and writes no logs.</summary>
    private static async Task<(int ExitCode, IReadOnlyList<string> Lines)> CheckAsync(
        string homeserver, Dictionary<string, string?>? environment = null)
    {
        using var folder = TempFolder.ForCaller();
        await File.WriteAllTextAsync(folder["registration.yaml"], ServiceUnderTest.RegistrationText("https://logs.example.org/matrix"),
            TestContext.Current.CancellationToken);
        File.SetUnixFileMode(folder["registration.yaml"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using var check = ServiceProcess.Start(folder.Path, environment ?? [], "check", "--homeserver", homeserver);
        var exitCode = await check.WaitForExitAsync();
        Assert.Equal([folder["registration.yaml"]], Directory.GetFileSystemEntries(folder.Path));
        return (exitCode, check.Output);
    }
}
