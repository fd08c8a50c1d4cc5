using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>An address that can't be listened on is one line that names its setting.</summary>
public class ListenAddressTests
{
    [Theory]
    [InlineData("foo", "not a url such as http://localhost:5000")]
    [InlineData("localhost:5000", "not a url such as http://localhost:5000")]
    [InlineData("https://127.0.0.1:0", "only http is supported; let a proxy terminate https")]
    [InlineData("http://pipe:/foo", "only Windows has named pipes")]
    [InlineData("http://127.0.0.1:-5", "a port is 0 to 65535")]
    [InlineData("http://localhost:99999", "a port is 0 to 65535")]
    [InlineData("http://localhost:5000x", "a port is 0 to 65535")]
    [InlineData("http://127.0.0.1:5990/path", "an address to listen on has no path; the path belongs into the registration's url")]
    public async Task An_invalid_address_is_an_error_before_a_registration_is_created(string url, string expected)
    {
        using var folder = TempFolder.ForCaller();

        await ServiceProcess.AssertOneLineAsync(78, folder, $"--urls is \"{url}\": {expected}", "--urls", url);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("Url", "https://127.0.0.1:5990", "Kestrel__Endpoints__a__Url is \"https://127.0.0.1:5990\": only http is supported")]
    [InlineData("Url", "http://127.0.0.1:5990/path", "Kestrel__Endpoints__a__Url is \"http://127.0.0.1:5990/path\": an address to listen ")]
    [InlineData("Url", "", "Kestrel__Endpoints__a__Url is \"\": not a url such as")]
    [InlineData("Sni__b__Protocols", "Http1", "Kestrel__Endpoints__a__Sni is not a setting. The settings are Url, Protocols")]
    [InlineData("Certificate__Path", "x.pem", "Kestrel__Endpoints__a__Certificate is not a setting. The settings are Url, Protocols")]
    [InlineData("ClientCertificateMode", "NoCertificate", "Kestrel__Endpoints__a__ClientCertificateMode is not a setting. The settings ")]
    [InlineData("SslProtocols__0", "Tls13", "Kestrel__Endpoints__a__SslProtocols is not a setting. The settings are Url, Protocols")]
    [InlineData("Protocols", "Http3", "Kestrel__Endpoints__a__Protocols is \"Http3\"; expected Http1, Http2 or Http1AndHttp2")]
    public async Task An_error_in_an_endpoint_of_the_web_server_is_one_line(string key, string value, string expected)
    {
        using var folder = TempFolder.ForCaller();
        var environment = new Dictionary<string, string?>
        {
            ["Kestrel__Endpoints__good__Url"] = "http://127.0.0.1:0",
            ["Kestrel__Endpoints__a__Url"] = "http://127.0.0.1:0",
            [$"Kestrel__Endpoints__a__{key}"] = value,
        };
        await using var service = ServiceProcess.Start(folder.Path, environment);

        await service.AssertOneLineAsync(78, expected);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task An_address_that_cannot_be_bound_is_named_with_its_setting()
    {
        using var folder = TempFolder.ForCaller();
        using var taken = new FakeHomeserver();
        var registration = ServiceUnderTest.RegistrationText(taken.Address);
        await File.WriteAllTextAsync(folder["registration.yaml"], registration, TestContext.Current.CancellationToken);

        var ofRegistration = $"Cannot listen on {taken.Address} ({folder["registration.yaml"]}): another program listens there already. "
            + "To use another address, change url in the registration, copy the file to the homeserver and restart both.";
        await ServiceProcess.AssertOneLineAsync(1, folder, ofRegistration);

        const string foreign = "http://203.0.113.77:5000";
        var ofOption = $"Cannot listen on {foreign} (--urls): this machine has no such address.";
        await ServiceProcess.AssertOneLineAsync(1, folder, ofOption, "--urls", foreign);

        var environment = new Dictionary<string, string?>
        {
            ["Kestrel__Endpoints__good__Url"] = "http://127.0.0.1:0",
            ["Kestrel__Endpoints__bad__Url"] = taken.Address,
        };
        await using var service = ServiceProcess.Start(folder.Path, environment, "--urls", "http://127.0.0.1:0");
        await service.AssertOneLineAsync(
            1, $"Cannot listen on {taken.Address} (Kestrel__Endpoints__bad__Url): another program listens there already.");
    }

    [Theory]
    [InlineData("yes", "not a url such as http://localhost:5000")]
    [InlineData("https://127.0.0.1:5001", "only http is supported")]
    [InlineData("http://127.0.0.1:5001/metrics", "an address to listen on has no path")]
    public async Task An_invalid_address_of_the_admin_listener_is_an_error(string url, string expected)
    {
        using var folder = TempFolder.ForCaller();

        await ServiceProcess.AssertOneLineAsync(78, folder, $"--admin is \"{url}\": {expected}", "--admin", url);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task A_service_whose_admin_listener_cannot_listen_logs_rooms_without_it()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        using var other = new FakeHomeserver();
        await using var service = RunningService.Start(folder, homeserver, admin: other.Address);
        await service.WaitUntilListeningAsync();

        Assert.Equal(200, await service.PushAsync(Some.Message(Some.RoomId())));
        await service.Process.WaitForLineAsync(
            $@"Failed to listen on {other.Address} \(--admin\) for health checks and metrics: another program listens there already\.");
        Assert.Equal(0, await service.Process.StopAsync());
        Assert.Single(service.Process.Output, line => line.Contains(" ERR ", StringComparison.Ordinal));
        Assert.DoesNotContain(service.Process.Output, line => line.StartsWith("   at ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.1", "localhost")]
    [InlineData("localhost", "127.0.0.1")]
    [InlineData("localhost", "localhost")]
    [InlineData("127.0.0.1", "*")]
    [InlineData("127.0.0.1", "0.0.0.0")]
    public async Task The_admin_listener_leaves_the_homeserver_its_address(string admin, string homeserver)
    {
        using var folder = TempFolder.ForCaller();
        var port = FreePort.Next();
        await using var service = ServiceProcess.Start(
            folder.Path,
            "--admin", $"http://{admin}:{port}", "--urls", $"http://{homeserver}:{port}", "--homeserver", "http://127.0.0.1:9");

        await service.WaitForLineAsync("Failed to listen on .*: the address is that of the port for the homeserver");
        await service.WaitForLineAsync($"Listening on http://.*:{port}");
        Assert.Equal(0, await service.StopAsync());
    }
}
