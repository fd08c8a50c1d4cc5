using LoggingService.Configuration;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>200 means on disk; any failure is a 5xx with nothing of it left behind, and passes without a restart.</summary>
public class DurabilityTests
{
    [Fact]
    public async Task A_full_disk_is_a_5xx_with_all_or_nothing_and_passes_without_a_restart()
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"]);
        using var service = new ServiceUnderTest(folder: folder);
        string[] rooms = [Some.RoomId(), Some.RoomId(), Some.RoomId()];
        var expected = new List<string>();
        Assert.Equal(200, (await service.PushAsync("1", [.. rooms.Select(room => Message(room, "first", expected))])).Status);

        // At each amount of space that is left another step is the one that fails: journal, one of six files, a new folder.
        var refused = 0;
        foreach (var pages in Enumerable.Range(0, 12))
        {
            disk.Clear();
            disk.Fill(leave: pages * 4096);
            var before = expected.ToList();
            List<string> ids = [];
            var fresh = Some.RoomId();
            var events = rooms.Append(fresh).Select(room => Message(room, new string('x', 3000), ids)).ToList();
            var (status, _) = await service.PushAsync($"full{pages}", events);
            if (status == 200)
            {
                expected.AddRange(ids);
                AssertLogged(service, rooms.Append(fresh), ids, areThere: true);
            }
            else
            {
                refused++;
                Assert.InRange(status, 500, 599);
                AssertLogged(service, rooms.Append(fresh), ids, areThere: false);
                disk.Clear();
                Assert.Equal(200, (await service.PushAsync($"full{pages}", events)).Status);
                AssertLogged(service, rooms.Append(fresh), ids, areThere: true);
            }

            LogFolder.AssertLineForLine(service.Logs);
        }

        Assert.InRange(refused, 3, 11);
    }

    [Fact]
    public async Task A_read_only_disk_is_a_5xx_until_it_is_writable_again()
    {
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder["logs"]);
        using var service = new ServiceUnderTest(folder: folder);
        var (open, fresh) = (Some.RoomId(), Some.RoomId());
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(open, "before"))).Status);
        await disk.SetReadOnlyAsync(true);
        for (var attempt = 0; attempt < 3; attempt++)
        {
            Assert.InRange((await service.PushAsync("2", Some.Message(open, "in between"), Some.Message(fresh, "new"))).Status, 500, 599);
        }

        // The admin reads once what is wrong, however often the homeserver tries, and once that it is over.
        Assert.Contains("Read-only file system", Assert.Single(service.Trouble, trouble => trouble.StartsWith("Nothing can be written to the logs now", StringComparison.Ordinal)), StringComparison.Ordinal);
        await disk.SetReadOnlyAsync(false);
        Assert.Equal(200, (await service.PushAsync("2", Some.Message(open, "after"), Some.Message(fresh, "new"))).Status);
        Assert.Equal(["<@alice:localhost> before", "<@alice:localhost> after"], service.Lines(open));
        Assert.Single(service.Lines(fresh));
        Assert.Single(service.Logged, logged => logged.RenderMessage() == "The logs can be written again.");
    }

    [Fact]
    public async Task A_file_in_the_place_of_a_rooms_folder_is_a_5xx_for_all_rooms_of_the_transaction()
    {
        using var service = new ServiceUnderTest();
        var (blocked, free) = (Some.RoomId(), Some.RoomId());
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(blocked, "one"), Some.Message(free, "one"))).Status);
        var folder = Path.Combine(service.Logs, blocked);
        Directory.Move(folder, folder + ".away");
        File.WriteAllText(folder, "not a folder");
        Assert.InRange((await service.PushAsync("2", Some.Message(free, "two"), Some.Message(blocked, "two"))).Status, 500, 599);
        Assert.Single(service.Record(free));
        File.Delete(folder);
        Directory.Move(folder + ".away", folder);
        Assert.Equal(200, (await service.PushAsync("2", Some.Message(free, "two"), Some.Message(blocked, "two"))).Status);
        Assert.Equal(2, service.Record(free).Count);
        Assert.Equal(2, service.Record(blocked).Count);
        LogFolder.AssertLineForLine(service.Logs);
    }

    [Fact]
    public async Task A_clean_stop_leaves_an_empty_journal_and_the_next_start_has_nothing_to_recover()
    {
        using var folder = TempFolder.ForCaller();
        var room = Some.RoomId();
        using (var service = new ServiceUnderTest(folder: folder))
        {
            Assert.Equal(200, (await service.PushAsync("1", Some.Message(room))).Status);
            Assert.Single(LogFolder.Segments(service.Logs));
        }

        Assert.Empty(LogFolder.Segments(folder["logs"]));
        using var again = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await again.PushAsync("2", Some.Message(room))).Status);
        Assert.DoesNotContain(again.Logged, e => e.RenderMessage().Contains("had not been stopped cleanly"));
        Assert.Equal(2, again.Record(room).Count);
    }

    [Fact]
    public async Task Some_idle_seconds_empty_the_journal()
    {
        var time = new FakeTimeProvider(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        using var service = new ServiceUnderTest(time);
        Assert.Equal(200, (await service.PushAsync("1", Some.Message(Some.RoomId()))).Status);
        Assert.Single(LogFolder.Segments(service.Logs));
        await Soon.IsTrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return LogFolder.Segments(service.Logs).Length == 0;
            },
            "the journal was empty");
        Assert.Equal(200, (await service.PushAsync("2", Some.Message(Some.RoomId()))).Status);
        Assert.Empty(service.Trouble);
    }

    [Fact]
    public void A_second_service_on_the_same_folder_is_refused_and_told_who_has_it()
    {
        using var folder = TempFolder.ForCaller();
        using (Open(folder["logs"]))
        {
            var refused = Assert.Throws<Misconfiguration>(() => Open(folder["logs"]));
            Assert.Contains($"process {Environment.ProcessId}", refused.Message);
        }

        Open(folder["logs"]).Dispose();
    }

    private static LogDirectory Open(string root) => new(root, TimeProvider.System, NullLogger<LogDirectory>.Instance);

    private static string Message(string room, string body, List<string> ids)
    {
        ids.Add(Some.EventId());
        return Some.Message(room, body, ids[^1]);
    }

    private static void AssertLogged(ServiceUnderTest service, IEnumerable<string> rooms, List<string> ids, bool areThere)
    {
        var logged = rooms.SelectMany(room => LogFolder.EventIds(service.Logs, room)).ToList();
        Assert.All(ids, id => Assert.Equal(areThere ? 1 : 0, logged.Count(other => other == id)));
    }
}
