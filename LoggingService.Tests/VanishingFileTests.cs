using LoggingService.Cli;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What reads all rooms beside a service that removes and compresses days meanwhile.</summary>
public class VanishingFileTests
{
    private static readonly DateOnly Today = new(2026, 11, 23);
    private const string Line = "{\"event_id\":\"$a\",\"room_id\":\"!a:localhost\",\"type\":\"x\",\"content\":{},\"received_ts\":1}\n";

    [Fact]
    public Task The_list_of_rooms_leaves_out_what_is_removed_while_it_is_made() => WhileDaysVanishAsync(folder =>
    {
        foreach (var room in RoomSummary.ReadAll(folder.Path))
        {
            Assert.True(room.Events <= 1);
        }
    });

    [Fact]
    public Task Retention_leaves_out_what_is_removed_while_it_reads_the_sizes() => WhileDaysVanishAsync(folder =>
    {
        Assert.Null(Retention.FindFirstKept(folder.Path, 1 << 20, Today));
        Retention.RemoveDaysBefore(folder.Path, Today.AddDays(-40));
    });

    private static async Task WhileDaysVanishAsync(Action<TempFolder> read)
    {
        using var folder = TempFolder.InMemory();
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    var room = Directory.CreateDirectory(folder["!a:localhost"]).FullName;
                    File.WriteAllText(Path.Combine(room, "20261122.jsonl"), Line);
                    File.WriteAllText(Path.Combine(room, "20261122.log"), "2026-11-22 00:00:00 +00:00 <@a:localhost>\n");
                    File.Delete(Path.Combine(room, "20261122.log"));
                    File.Delete(Path.Combine(room, "20261122.jsonl"));
                    Directory.Delete(room, recursive: true);
                }
                catch (DirectoryNotFoundException)
                {
                    // Retention removed the empty folder.
                }
            }
        });
        for (var round = 0; round < 2_000; round++)
        {
            read(folder);
        }

        await stop.CancelAsync();
        await writer;
    }
}
