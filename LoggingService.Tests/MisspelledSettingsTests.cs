using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>A misspelled setting is an error, because it would be ignored; what is another program's is ignored.</summary>
public class MisspelledSettingsTests
{
    [Theory]
    [InlineData("""{"LogginService": {"RetainDays": 3}}""", "LogginService is not a setting. Did you mean LoggingService?")]
    [InlineData("""{"loggingServices": {"RetainDays": 3}}""", "loggingServices is not a setting. Did you mean LoggingService?")]
    [InlineData("""{"RetainDays": 3}""", "RetainDays is outside its section: put it into LoggingService")]
    [InlineData("""{"RetainDay": 3}""", "RetainDay is not a setting. Did you mean RetainDays in the section LoggingService?")]
    [InlineData("""{"RoomActivity": "on"}""", "RoomActivity is outside its section: put it into ServiceLog")]
    [InlineData("""{"Urls": "http://127.0.0.1:0", "Port": 5000}""", "Port is not a setting. The sections are Logging, ")]
    [InlineData("""{"Logging": {"LogLevl": {"Default": "Debug"}}}""", "Logging:LogLevl is not a setting. Did you mean LogLevel?")]
    [InlineData("""{"LoggingService": {"RetaindDays": 3}}""", "LoggingService:RetaindDays is not a setting. Did you mean RetainDays?")]
    [InlineData("""{"LoggingService": {"RetainDays": 0}}""", "LoggingService:RetainDays is \"0\"; expected a whole number")]
    public async Task In_a_file_it_is_one_line_with_the_file_and_the_nearest_name(string text, string expected)
    {
        using var folder = TempFolder.ForCaller();
        await File.WriteAllTextAsync(folder["machine.json"], text, TestContext.Current.CancellationToken);
        await using var service = ServiceProcess.Start(
            folder.Path, new Dictionary<string, string?> { [MachineSettings.Variable] = folder["machine.json"] });

        await service.AssertOneLineAsync(78, $"{folder["machine.json"]}: {expected}");
        Assert.Equal([folder["machine.json"]], Directory.GetFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("LoggingServices__RetainDays", "LoggingServices__RetainDays is not a setting. Did you mean LoggingService__RetainDays?")]
    [InlineData("LogginService__RetainDays", "LogginService__RetainDays is not a setting. Did you mean LoggingService__RetainDays?")]
    [InlineData("LOGGINGSERVICE_RETAINDAYS", "LOGGINGSERVICE_RETAINDAYS is not a setting. Did you mean LoggingService__RetainDays?")]
    [InlineData("LOGGING_SERVICE_RETAIN_DAYS", "LOGGING_SERVICE_RETAIN_DAYS is not a setting. Did you mean LoggingService__RetainDays?")]
    [InlineData("LOGGINGSERVICE__RETAIN_DAYS", "LOGGINGSERVICE__RETAIN_DAYS is not a setting. Did you mean RetainDays?")]
    [InlineData("LoggingServiceX__Port", "LoggingServiceX__Port is not a setting. Did you mean LoggingService__Port?")]
    [InlineData("ServiceLogs__File", "ServiceLogs__File is not a setting. Did you mean ServiceLog__File?")]
    [InlineData("servicelog__format", "servicelog__format is \"3\"; expected text or json")]
    [InlineData("LoggingService__Moderators__0", "LoggingService__Moderators__0 is \"3\"; expected a full user id")]
    public async Task In_the_environment_it_is_one_line_with_the_variable(string variable, string expected)
    {
        using var folder = TempFolder.ForCaller();
        await using var service = ServiceProcess.Start(folder.Path, new Dictionary<string, string?> { [variable] = "3" });

        await service.AssertOneLineAsync(78, expected);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task What_is_of_Kubernetes_or_another_program_is_ignored_and_the_start_names_the_effective_settings()
    {
        using var folder = TempFolder.ForCaller();
        const string sections =
            """{"$schema": "x", "Logging": {"Console": {}}, "AllowedHosts": "*", "urls": "http://127.0.0.1:0", "ServiceLog": {}}""";
        await File.WriteAllTextAsync(folder["machine.json"], sections, TestContext.Current.CancellationToken);
        var environment = new Dictionary<string, string?>
        {
            [MachineSettings.Variable] = folder["machine.json"],
            ["LOGGINGSERVICE_PORT"] = "tcp://10.0.0.1:5000",
            ["LOGGINGSERVICE_SERVICE_HOST"] = "10.0.0.1",
            ["LOGGINGSERVICE_PORT_5000_TCP_ADDR"] = "10.0.0.1",
            ["RETAINDAYS"] = "abc",
            ["OTHER__RetainDays"] = "abc",
            ["LoggingService__MaxBodyBytes"] = "64MiB",
        };
        await using var service = ServiceProcess.Start(
            folder.Path, environment, "--homeserver", "http://127.0.0.1:9", "--retain-days", "90", "--rooms-per-hour", "5");

        await service.WaitForLineAsync("Keeping 90 days, creating up to 5 rooms an hour, accepting transactions of up to 64 MiB$");
        Assert.Equal(0, await service.StopAsync());
        Assert.Empty(service.StandardError);
    }

    [Fact]
    public async Task A_time_zone_that_is_not_understood_is_a_warning_and_the_start_names_the_effective_one()
    {
        using var folder = TempFolder.ForCaller();
        foreach (var (zone, effective, isWarned) in new[]
        {
            ("CET-1CEST,M3.5.0,M10.5.0/3", "UTC (now +00:00)", true), ("UTC-5:30", "UTC (now +00:00)", true),
            ("GMT+3", "UTC (now +00:00)", true), ("Asia/Kolkata", "Asia/Kolkata (now +05:30)", false),
            (":Asia/Kolkata", "Asia/Kolkata (now +05:30)", false), ("UTC", "UTC (now +00:00)", false), ("", "UTC (now +00:00)", false),
        })
        {
            var environment = new Dictionary<string, string?> { ["TZ"] = zone };
            await using var service =
                ServiceProcess.Start(folder.Path, environment, "--homeserver", "http://127.0.0.1:9", "--urls", "http://127.0.0.1:0");

            var line = await service.WaitForLineAsync("Writing logs to .*");
            Assert.EndsWith($"{folder["logs"]} in the time zone {effective}", line.Value, StringComparison.Ordinal);
            Assert.Equal(0, await service.StopAsync());
            Assert.Equal(isWarned, service.Output.Any(output => output.Contains($" WRN TZ is {zone}, ", StringComparison.Ordinal)));
        }
    }
}
