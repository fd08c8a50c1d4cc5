using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The command status tells people and scripts what the admin listener says.</summary>
public class StatusCommandTests
{
    [Fact]
    public async Task A_running_service_is_healthy_and_a_stopped_one_is_not_running()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using var service = await RunningService.StartMonitoredAsync(folder, homeserver);
        Assert.Equal(200, await service.PushAsync(Some.Message(Some.RoomId())));

        var (exitCode, output, _) = await RunAsync(folder, "--admin", service.Admin!);
        Assert.InRange(exitCode, 0, 1);
        Assert.Matches(@"^(healthy|degraded) +LoggingService 0\.\d+\.\d+\S* since 20\S+Z$", output[0]);
        Assert.Contains(output, line => line.StartsWith("healthy    journal", StringComparison.Ordinal));
        Assert.Contains(output, line => line.StartsWith("healthy    space       free bytes: ", StringComparison.Ordinal));
        (exitCode, output, _) = await RunAsync(folder, "--admin", service.Admin!, "--json");
        Assert.InRange(exitCode, 0, 1);
        Assert.StartsWith("{", output[0], StringComparison.Ordinal);

        (exitCode, _, var error) = await RunAsync(folder);
        Assert.Equal(3, exitCode);
        Assert.StartsWith("The service has no admin listener", Assert.Single(error), StringComparison.Ordinal);

        var admin = service.Admin!;
        await service.Process.StopAsync();
        (exitCode, _, error) = await RunAsync(folder, "--admin", admin);
        Assert.Equal((2, $"No service writes to {folder["logs"]}"), (exitCode, Assert.Single(error)));
    }

    [Fact]
    public async Task A_service_whose_rooms_cannot_be_written_is_unhealthy()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using var service = await RunningService.StartMonitoredAsync(folder, homeserver);
        var room = Some.RoomId();
        await File.WriteAllTextAsync(folder["logs", room], "a file in its place", TestContext.Current.CancellationToken);
        Assert.Equal(200, await service.PushAsync(Some.Message(room)));
        var end = DateTime.UtcNow.AddSeconds(30);
        while (true)
        {
            var (exitCode, output, _) = await RunAsync(folder, "--admin", service.Admin!);
            if (exitCode == 2)
            {
                Assert.Contains(output, line => line.StartsWith("unhealthy  rooms", StringComparison.Ordinal));
                return;
            }

            Assert.True(DateTime.UtcNow < end, string.Join('\n', output));
        }
    }

    [Fact]
    public async Task An_error_is_neither_healthy_nor_unhealthy_but_not_known()
    {
        using var folder = TempFolder.ForCaller();
        await ServiceProcess.AssertOneLineAsync(
            3, folder, "--LoggingService:RetainDays is \"x\"", "status", "--LoggingService:RetainDays", "x");

        // Of the command line, not of the service: as for all commands.
        await ServiceProcess.AssertOneLineAsync(78, folder, "--nonsense", "status", "--nonsense");
    }

    private static async Task<(int ExitCode, IReadOnlyList<string> Output, IReadOnlyList<string> Error)> RunAsync(
        TempFolder folder, params string[] arguments)
    {
        await using var process = ServiceProcess.Start(folder.Path, ["status", .. arguments]);
        return (await process.WaitForExitAsync(), process.StandardOutput, process.StandardError);
    }
}
