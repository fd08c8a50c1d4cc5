using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The service as it is started and stopped: a process of its own.</summary>
public class StartupTests
{
    [Fact]
    public async Task The_first_start_makes_the_registration_says_what_to_do_and_writes_only_where_it_was_called()
    {
        using var folder = TempFolder.ForCaller();
        var (port, called, home) = (FreePort.Next(), folder["called"], folder["home"]);
        Directory.CreateDirectory(called);
        Directory.CreateDirectory(home);
        await using var service = ServiceProcess.Start(called, new Dictionary<string, string?> { ["HOME"] = home }, "--urls", $"http://127.0.0.1:{port}", "--homeserver", "http://127.0.0.1:9/");

        await service.WaitForLineAsync($"Listening on http://127.0.0.1:{port} for the homeserver http://127.0.0.1:9, with the registration {called}/registration.yaml.$");
        await service.WaitForLineAsync($"The logs are in {called}/logs.$");
        Assert.Contains($"Created {called}/registration.yaml with new tokens. The homeserver needs a copy:", service.StandardOutput);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(called, "registration.yaml")));

        Assert.Equal(0, await service.StopAsync());
        Assert.Empty(service.StandardError);
        Assert.Equal(["logs", "registration.yaml"], Directory.GetFileSystemEntries(called).Select(Path.GetFileName).Order());
        Assert.Empty(Directory.GetFileSystemEntries(home));
    }

    [Fact]
    public async Task The_example_registration_is_one_that_the_service_starts_with()
    {
        using var folder = TempFolder.ForCaller();
        var port = FreePort.Next();
        await using var service = ServiceProcess.Start(folder.Path,
            "--registration", Path.Combine(AppContext.BaseDirectory, "registration.example.yaml"), "--urls", $"http://127.0.0.1:{port}", "--homeserver", "http://127.0.0.1:9/");

        await service.WaitForLineAsync($"Listening on http://127.0.0.1:{port} ");

        Assert.Equal(0, await service.StopAsync());
    }

    [Theory]
    [InlineData("LoggingService:RoomsPerHour is \"abc\"", "--LoggingService:RoomsPerHour", "abc")]
    [InlineData("LoggingService:Homeserver is \"localhost\"", "--homeserver", "localhost")]
    [InlineData("this machine has no such address", "--urls", "http://203.0.113.77:5000")]
    [InlineData("that is no address", "--urls", "foo")]
    [InlineData("let a proxy in front of it speak https", "--urls", "https://127.0.0.1:0")]
    [InlineData("Logging:LogLevel:Microsoft is \"Loud\"; expected one of Trace, Debug, ", "--Logging:LogLevel:Microsoft", "Loud")]
    [InlineData("ServiceLog:Format is \"xml\"; expected text or json", "--ServiceLog:Format=xml")]
    [InlineData("ServiceLog:Fiel is not a setting. The settings are File, Format, RoomActivity", "--ServiceLog:Fiel", "x.log")]
    public async Task A_mistake_in_the_settings_is_one_line(string expected, params string[] arguments)
    {
        using var folder = TempFolder.ForCaller();

        await IsOneLineAsync(folder, expected, arguments);
    }

    [Theory]
    [InlineData("id: [", "registration.yaml")]
    [InlineData("id: x", "registration.yaml")]
    [InlineData("https", "--urls")]
    public async Task A_mistake_in_the_registration_is_one_line(string text, string expected)
    {
        using var folder = TempFolder.ForCaller();
        await File.WriteAllTextAsync(folder["registration.yaml"], text == "https" ? ServiceUnderTest.RegistrationText("https://logs.example.org") : text, TestContext.Current.CancellationToken);

        await IsOneLineAsync(folder, expected);
    }

    [Fact]
    public async Task A_port_and_a_log_directory_belong_to_one_service()
    {
        using var folder = TempFolder.ForCaller();
        var port = FreePort.Next();
        await using var first = ServiceProcess.Start(folder.Path, "--urls", $"http://127.0.0.1:{port}", "--homeserver", "http://127.0.0.1:9/");
        await first.WaitForLineAsync("The logs are in ");

        await IsOneLineAsync(folder, "LoggingService:Logs: ", "--urls", "http://127.0.0.1:0");
        await IsOneLineAsync(folder, $"can't listen on http://127.0.0.1:{port}: another program listens there already", "--urls", $"http://127.0.0.1:{port}", "--logs", "other");
    }

    [Fact]
    public async Task A_stop_is_over_in_10_seconds_with_half_a_transaction_in_hand_and_leaves_nothing_to_recover()
    {
        using var folder = TempFolder.ForCaller();
        await File.WriteAllTextAsync(folder["registration.yaml"], ServiceUnderTest.RegistrationText(), TestContext.Current.CancellationToken);
        var port = FreePort.Next();
        await using var service = ServiceProcess.Start(folder.Path, "--urls", $"http://127.0.0.1:{port}", "--homeserver", "http://127.0.0.1:9/");
        await service.WaitForLineAsync("The logs are in ");
        var room = Some.RoomId();
        var body = $"{{\"events\":[{Some.Message(room)}]}}";
        using (var whole = await RawConnection.OpenAsync(port))
        {
            await whole.SendAsync(RawConnection.TransactionHead("1", body.Length) + body);
            Assert.StartsWith("HTTP/1.1 200 ", await whole.ReadToAsync("\r\n", TimeSpan.FromSeconds(30)), StringComparison.Ordinal);
        }

        using var half = await RawConnection.OpenAsync(port);
        await half.SendAsync(RawConnection.TransactionHead("2", body.Length) + body[..(body.Length / 2)]);

        Assert.Equal(0, await service.StopAsync(TimeSpan.FromSeconds(10)));
        Assert.Empty(service.StandardError);
        Assert.Single(File.ReadAllLines(Directory.GetFiles(folder["logs", room], "*.jsonl").Single()));
        Assert.Equal(0, Directory.GetFiles(folder["logs", ".journal"]).Sum(file => new FileInfo(file).Length));
    }

    [Fact]
    public async Task Settings_of_the_machine_apply_unless_the_environment_or_a_switch_has_others()
    {
        using var folder = TempFolder.ForCaller();
        await File.WriteAllTextAsync(
            folder["machine.json"],
            $$$"""{"LoggingService": {"Logs": "{{{folder["machine"]}}}", "RetainDays": 0}}""",
            TestContext.Current.CancellationToken);
        var environment = new Dictionary<string, string?> { [MachineSettings.Variable] = folder["machine.json"] };

        await IsOneLineAsync(folder, environment, "LoggingService:RetainDays is \"0\"");

        environment["LoggingService__RetainDays"] = "1";
        await WritesToAsync(folder["machine"]);
        environment["LoggingService__Logs"] = folder["environment"];
        await WritesToAsync(folder["environment"]);
        await WritesToAsync(folder["switch"], "--logs", folder["switch"]);

        async Task WritesToAsync(string logs, params string[] switches)
        {
            await using var service = ServiceProcess.Start(
                folder.Path, environment, ["--urls", "http://127.0.0.1:0", "--homeserver", "http://127.0.0.1:9/", .. switches]);
            await service.WaitForLineAsync($"The logs are in {logs}");
            Assert.Equal(0, await service.StopAsync());
        }
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[1]")]
    public async Task A_settings_file_that_is_not_JSON_is_one_line(string text)
    {
        using var folder = TempFolder.ForCaller();
        await File.WriteAllTextAsync(folder["machine.json"], text, TestContext.Current.CancellationToken);

        var environment = new Dictionary<string, string?> { [MachineSettings.Variable] = folder["machine.json"] };
        await IsOneLineAsync(folder, environment, $"Failed to read the settings: Failed to load configuration from file '{folder["machine.json"]}'. ");
    }

    private static Task IsOneLineAsync(TempFolder folder, string expected, params string[] arguments) => IsOneLineAsync(folder, new Dictionary<string, string?>(), expected, arguments);

    private static async Task IsOneLineAsync(TempFolder folder, Dictionary<string, string?> environment, string expected, params string[] arguments)
    {
        await using var service = ServiceProcess.Start(folder.Path, environment, arguments);

        Assert.Equal(1, await service.WaitForExitAsync());
        Assert.Contains(expected, Assert.Single(service.StandardError), StringComparison.Ordinal);
        Assert.DoesNotContain(service.Output, line => line.StartsWith("   at ", StringComparison.Ordinal));
    }
}
