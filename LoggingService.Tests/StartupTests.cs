using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>Start and stop of the service, in a process of its own.</summary>
public class StartupTests
{
    [Fact]
    public async Task The_first_start_creates_a_registration_with_instructions_and_writes_only_to_the_working_directory()
    {
        using var folder = TempFolder.ForCaller();
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        var workingDirectory = folder["called"];
        var home = folder["home"];
        Directory.CreateDirectory(workingDirectory);
        Directory.CreateDirectory(home);
        var environment = new Dictionary<string, string?> { ["HOME"] = home };
        await using var service = ServiceProcess.Start(workingDirectory, environment, "--urls", url, "--homeserver", "http://127.0.0.1:9/");

        await service.WaitForLineAsync(
            $"Listening on {url} for homeserver http://127.0.0.1:9 with registration {workingDirectory}/registration.yaml$");
        await service.WaitForLineAsync($@"Writing logs to {workingDirectory}/logs in the time zone \S+ \(now [+-]\d\d:\d\d\)$");
        var registration = Path.Combine(workingDirectory, "registration.yaml");
        Assert.Contains($"Created {registration} with new tokens. The homeserver needs a copy:", service.StandardOutput);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(registration));

        Assert.Equal(0, await service.StopAsync());
        Assert.Empty(service.StandardError);
        Assert.Equal(["logs", "registration.yaml"], Directory.GetFileSystemEntries(workingDirectory).Select(Path.GetFileName).Order());
        Assert.Empty(Directory.GetFileSystemEntries(home));
    }

    [Fact]
    public async Task The_service_starts_with_the_example_registration()
    {
        using var folder = TempFolder.ForCaller();
        var port = FreePort.Next();
        await using var service = ServiceProcess.Start(folder.Path,
            "--registration", Path.Combine(AppContext.BaseDirectory, "registration.example.yaml"),
            "--urls", $"http://127.0.0.1:{port}", "--homeserver", "http://127.0.0.1:9/");

        await service.WaitForLineAsync($"Listening on http://127.0.0.1:{port} ");

        Assert.Equal(0, await service.StopAsync());
    }

    [Theory]
    [InlineData("--LoggingService:RoomsPerHour is \"abc\"", "--LoggingService:RoomsPerHour", "abc")]
    [InlineData("--homeserver is \"localhost\"", "--homeserver", "localhost")]
    [InlineData("--Logging:LogLevel:Microsoft is \"Loud\"; expected one of Trace, Debug, ", "--Logging:LogLevel:Microsoft", "Loud")]
    [InlineData("--Logging:LogLevel:Default is \"9\"; expected one of Trace, Debug, ", "--Logging:LogLevel:Default=9")]
    [InlineData("--Logging:LogLevel is \"Warning\"; expected a section such as {\"Default\": \"Warning\"}", "--Logging:LogLevel=Warning")]
    [InlineData("--ServiceLog:Format is \"xml\"; expected text or json", "--ServiceLog:Format=xml")]
    [InlineData("--ServiceLog:Fiel is not a setting. Did you mean File?", "--ServiceLog:Fiel", "x.log")]
    public async Task An_error_in_the_settings_is_one_line(string expected, params string[] arguments)
    {
        using var folder = TempFolder.ForCaller();

        await AssertOneLineAsync(folder, expected, arguments);
    }

    [Fact]
    public void A_warning_about_the_registration_has_its_location_key_and_reason_as_properties()
    {
        var registration = ServiceUnderTest.RegistrationText().Replace("rate_limited: false", "rate_limited: on");
        using var service = new ServiceUnderTest(registration: registration);
        Assert.NotNull(service.Client);

        var warning = Assert.Single(service.Logged, logged => logged.RenderMessage().StartsWith("Configuration", StringComparison.Ordinal));
        var reason = "is true: the homeserver would limit how fast rooms are created; set it to false, without quotes";
        Assert.Equal($"\"{service.Folder["registration.yaml"]}:6\"", warning.Properties["Location"].ToString());
        Assert.Equal("\"rate_limited\"", warning.Properties["Key"].ToString());
        Assert.Equal($"\"{reason}\"", warning.Properties["Reason"].ToString());
    }

    [Theory]
    [InlineData("id: [", "registration.yaml")]
    [InlineData("id: x", "registration.yaml")]
    [InlineData("https", "--urls")]
    public async Task An_error_in_the_registration_is_one_line(string text, string expected)
    {
        using var folder = TempFolder.ForCaller();
        var registration = text == "https" ? ServiceUnderTest.RegistrationText("https://logs.example.org") : text;
        await File.WriteAllTextAsync(folder["registration.yaml"], registration, TestContext.Current.CancellationToken);

        await AssertOneLineAsync(folder, expected);
    }

    [Fact]
    public async Task A_port_and_a_log_directory_can_be_used_by_one_service_only()
    {
        using var folder = TempFolder.ForCaller();
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        await using var first = ServiceProcess.Start(folder.Path, "--urls", url, "--homeserver", "http://127.0.0.1:9/");
        await first.WaitForLineAsync("Writing logs to ");

        // A supervisor may try again: the other one may be about to stop.
        var locked = $"Another LoggingService (process {first.Id}) is writing to {folder["logs"]}. ";
        await ServiceProcess.AssertOneLineAsync(1, folder, locked, "--urls", "http://127.0.0.1:0");
        var inUse = $"Cannot listen on {url} (--urls): another program listens there already.";
        await ServiceProcess.AssertOneLineAsync(1, folder, inUse, "--urls", url, "--logs", "other");
    }

    [Fact]
    public async Task A_stop_during_a_transaction_takes_10_seconds_at_most_and_leaves_nothing_to_recover()
    {
        using var folder = TempFolder.ForCaller();
        var registration = ServiceUnderTest.RegistrationText();
        await File.WriteAllTextAsync(folder["registration.yaml"], registration, TestContext.Current.CancellationToken);
        var port = FreePort.Next();
        var url = $"http://127.0.0.1:{port}";
        await using var service = ServiceProcess.Start(folder.Path, "--urls", url, "--homeserver", "http://127.0.0.1:9/");
        await service.WaitForLineAsync("Writing logs to ");
        var room = Some.RoomId();
        var body = $"{{\"events\":[{Some.Message(room)}]}}";
        using (var complete = await RawConnection.OpenAsync(port))
        {
            await complete.SendAsync(RawConnection.TransactionHead("1", body.Length) + body);
            Assert.StartsWith("HTTP/1.1 200 ", await complete.ReadToAsync("\r\n", TimeSpan.FromSeconds(30)), StringComparison.Ordinal);
        }

        using var partial = await RawConnection.OpenAsync(port);
        await partial.SendAsync(RawConnection.TransactionHead("2", body.Length) + body[..(body.Length / 2)]);

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

        await AssertOneLineAsync(folder, environment, $"{folder["machine.json"]}: LoggingService:RetainDays is \"0\"");

        environment["LoggingService__RetainDays"] = "1";
        await WritesToAsync(folder["machine"]);
        environment["LoggingService__Logs"] = folder["environment"];
        await WritesToAsync(folder["environment"]);
        await WritesToAsync(folder["switch"], "--logs", folder["switch"]);

        async Task WritesToAsync(string logs, params string[] switches)
        {
            await using var service = ServiceProcess.Start(
                folder.Path, environment, ["--urls", "http://127.0.0.1:0", "--homeserver", "http://127.0.0.1:9/", .. switches]);
            await service.WaitForLineAsync($"Writing logs to {logs}");
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
        var expected = $"Failed to read the settings: Failed to load configuration from file '{folder["machine.json"]}'. ";
        await AssertOneLineAsync(folder, environment, expected);
    }

    private static Task AssertOneLineAsync(TempFolder folder, string expected, params string[] arguments) =>
        AssertOneLineAsync(folder, new Dictionary<string, string?>(), expected, arguments);

    // EX_CONFIG: a supervisor need not try again.
    private static async Task AssertOneLineAsync(
        TempFolder folder, Dictionary<string, string?> environment, string expected, params string[] arguments)
    {
        await using var service = ServiceProcess.Start(folder.Path, environment, arguments);
        await service.AssertOneLineAsync(78, expected);
    }
}
