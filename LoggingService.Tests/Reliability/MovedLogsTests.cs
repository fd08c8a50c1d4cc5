using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>The log directory is moved or removed while the service has a backlog, and the service is killed afterwards.</summary>
public class MovedLogsTests
{
    private const string Fault = "the log directory moved or removed with a backlog, then SIGKILL";

    [Fact]
    public async Task After_a_move_every_acknowledged_event_is_in_one_of_the_two_folders()
    {
        var events = 0;
        var lost = 0;
        var duplicated = 0;
        var rounds = Trial.Scale(1, 20);
        for (var round = 0; round < rounds; round++)
        {
            using var folder = TempFolder.ForCaller();
            var acknowledged = await RunAsync(folder, Scenario.Move);
            var current = await ReadAsync(folder);
            Directory.Move(folder["moved"], folder["logs"]);
            var moved = await ReadAsync(folder);
            events += acknowledged.Count;
            lost += acknowledged.Count(e => !moved.ContainsKey(e.Id) && !current.ContainsKey(e.Id));
            duplicated += moved.Values.Concat(current.Values).Count(count => count > 1);
        }

        Trial.Report(Fault, "mv logs", rounds, events, lost, duplicated);
    }

    [Fact]
    public async Task After_a_removal_every_event_that_is_acknowledged_in_the_new_folder_is_there()
    {
        var events = 0;
        var lost = 0;
        var duplicated = 0;
        var rounds = Trial.Scale(1, 20);
        for (var round = 0; round < rounds; round++)
        {
            using var folder = TempFolder.ForCaller();
            var acknowledged = await RunAsync(folder, Scenario.Remove);
            var current = await ReadAsync(folder);
            var expected = acknowledged.Where(e => e.IsInNewFolder).ToList();
            events += expected.Count;
            lost += expected.Count(e => !current.ContainsKey(e.Id));
            duplicated += current.Values.Count(count => count > 1);
        }

        Trial.Report(Fault, "rm -rf logs", rounds, events, lost, duplicated);
    }

    [Theory]
    [InlineData("mv logs elsewhere")]
    [InlineData("rm -rf logs")]
    public async Task The_new_folder_is_private_and_locked_whatever_the_umask(string command)
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using var service = await RunningService.StartAsync(folder, homeserver, "sh", "-c", "umask 0; exec \"$@\"", "sh");
        var room = Some.RoomId();
        Assert.Equal(200, await service.PushAsync(Some.Message(room)));
        await Wait.UntilAsync(() => File.Exists(folder["logs", room, "latest.log"]), "the event is logged");

        await ChildProcess.RunAsync(
            "sh", ["-c", $"cd '{folder.Path}' && while ! {command}; do :; done"], TestContext.Current.CancellationToken);
        await Wait.UntilAsync(() => File.Exists(folder["logs", ".lock"]), "the new folder is locked");
        await service.PushUntilAcceptedAsync(Some.Message(room));
        await Wait.UntilAsync(() => File.Exists(folder["logs", room, "latest.log"]), "the event is logged");

        foreach (var path in Directory.GetFileSystemEntries(folder["logs"], "*", SearchOption.AllDirectories).Prepend(folder["logs"]))
        {
            var info = new FileInfo(path);
            var others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute | UnixFileMode.GroupWrite;
            Assert.True(info.LinkTarget is not null || (info.UnixFileMode & others) == 0, $"{path}: {info.UnixFileMode}");
        }

        Assert.Equal((UnixFileMode)0x1E8, File.GetUnixFileMode(folder["logs"]));
        var refused = $"Another LoggingService (process {service.Process.Id}) is writing to {folder["logs"]}.";
        await ServiceProcess.AssertOneLineAsync(1, folder, refused, "--urls", "http://127.0.0.1:0");
        Assert.Equal(0, await service.Process.StopAsync());
        Assert.Single(service.Process.Output, line => line.Contains("was moved or removed while it was in use", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_new_folder_has_the_links_of_the_rooms()
    {
        var room = Some.RoomId();
        using var service = new ServiceUnderTest(homeserver: new StubHomeserver().WithoutAliases().AliasesOf(room, "#logged_a:localhost"));
        await service.PushAsync("1", Some.Message(room));
        var link = Path.Combine(service.Logs, "logged_a");
        await Wait.UntilAsync(() => Directory.Exists(link), "the link");

        Directory.Move(service.Logs, service.Folder["elsewhere"]);

        await service.PushUntilAcceptedAsync("2", Some.Message(room));
        await Wait.UntilAsync(() => File.Exists(Path.Combine(link, "latest.log")), "the link in the new folder");
        Assert.Equal(room, new FileInfo(link).LinkTarget);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_created_again_is_logged_once_until_it_is()
    {
        using var service = new ServiceUnderTest { IsWriterStalled = true };
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(Some.RoomId()))).Status);
        Directory.Move(service.Logs, service.Folder["elsewhere"]);
        await File.WriteAllTextAsync(service.Logs, "", TestContext.Current.CancellationToken);

        // Each attempt to restore it is made once a second.
        var started = DateTime.UtcNow;
        await Wait.UntilAsync(() => DateTime.UtcNow - started > TimeSpan.FromSeconds(3.5), "some attempts");
        Assert.Single(service.WarningsAndErrors, line => line.Contains("while it was in use", StringComparison.Ordinal));
        Assert.Single(service.WarningsAndErrors, line => line.StartsWith("Failed to create the log directory", StringComparison.Ordinal));

        File.Delete(service.Logs);
        await service.PushUntilAcceptedAsync("2", Some.Message(Some.RoomId()));
    }

    private enum Scenario
    {
        Move,
        Remove,
    }

    /// <summary>Pushes to new rooms, whose files take longer to open than a transaction takes to become durable.</summary>
    private static async Task<List<(string Id, bool IsInNewFolder)>> RunAsync(TempFolder folder, Scenario scenario)
    {
        using var homeserver = new FakeHomeserver();
        await using var service = await RunningService.StartAsync(folder, homeserver);
        var acknowledged = new List<(string Id, bool IsInNewFolder)>();
        for (var i = 0; i < 5; i++)
        {
            await PushAsync(isInNewFolder: false);
        }

        if (scenario == Scenario.Move)
        {
            Directory.Move(folder["logs"], folder["moved"]);
        }
        else
        {
            await RemoveAsync(folder["logs"]);
        }

        await PushAsync(isInNewFolder: false);
        await Wait.UntilAsync(() => File.Exists(folder["logs", ".lock"]), "the new folder is locked");
        for (var i = 0; i < 5; i++)
        {
            await PushAsync(isInNewFolder: true);
        }

        await service.Process.KillAsync();
        return acknowledged;

        async Task PushAsync(bool isInNewFolder)
        {
            var transaction = Ledger.Create(Enumerable.Range(0, 100).Select(_ => Some.RoomId()));
            await service.PushUntilAcceptedAsync(transaction.Json);
            acknowledged.AddRange(transaction.Events.Select(e => (e.Id, isInNewFolder)));
        }
    }

    /// <summary>As rm -rf: again, if the service has created a file meanwhile.</summary>
    private static Task RemoveAsync(string path) => Wait.UntilAsync(
        () =>
        {
            try
            {
                Directory.Delete(path, recursive: true);
                return true;
            }
            catch (DirectoryNotFoundException)
            {
                return true;
            }
            catch (IOException)
            {
                return false;
            }
        },
        "the folder is removed");

    /// <summary>Starts and stops the service, which replays the journal, counts the lines of each event, and moves the logs away.</summary>
    private static async Task<Dictionary<string, int>> ReadAsync(TempFolder folder)
    {
        using var homeserver = new FakeHomeserver();
        await using (var service = await RunningService.StartAsync(folder, homeserver))
        {
            Assert.Equal(0, await service.Process.StopAsync());
        }

        var logs = folder[$"read-{Guid.NewGuid():N}"];
        Directory.Move(folder["logs"], logs);
        LogFolder.AssertLineForLine(logs);
        return Directory.GetDirectories(logs, "!*")
            .SelectMany(room => LogFolder.EventIds(logs, Path.GetFileName(room)))
            .CountBy(id => id)
            .ToDictionary();
    }
}
