using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>After a kill or a power cut, the replay of the journal restores every acknowledged event.</summary>
public class RecoveryTests
{
    private readonly string _room = Some.RoomId();
    private readonly string _otherRoom = Some.RoomId();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300)]
    [InlineData(-1)]
    public async Task Files_that_had_not_reached_the_disk_are_restored_from_the_journal(int left)
    {
        using var folder = await KilledAsync();
        foreach (var file in DayFiles(folder))
        {
            if (left < 0)
            {
                File.Delete(file);
            }
            else
            {
                Truncate(file, left);
            }
        }

        await AssertRestoredAsync(folder, 3);
    }

    [Fact]
    public async Task Bytes_after_the_last_acknowledged_event_are_removed()
    {
        using var folder = await KilledAsync();
        foreach (var file in DayFiles(folder))
        {
            File.AppendAllText(file, "{\"event_id\":\"$never acknow");
        }

        await AssertRestoredAsync(folder, 3);
        Assert.Single(Directory.GetFiles(folder["logs", ".quarantine"], "*.bin"));
    }

    [Fact]
    public async Task A_torn_frame_is_ignored_and_the_frames_before_it_are_replayed()
    {
        using var folder = await KilledAsync();
        var segment = Assert.Single(LogFolder.Segments(folder["logs"]));
        using (var file = File.OpenWrite(segment))
        {
            file.SetLength(file.Length - 5);
        }

        foreach (var file in DayFiles(folder))
        {
            File.Delete(file);
        }

        await AssertRestoredAsync(folder, 2);
    }

    [Fact]
    public async Task A_damaged_frame_is_quarantined_and_the_frames_behind_it_are_replayed()
    {
        using var folder = await KilledAsync();
        var segment = Assert.Single(LogFolder.Segments(folder["logs"]));
        var bytes = File.ReadAllBytes(segment);
        var damaged = bytes.AsSpan().IndexOf("message 1"u8);
        bytes[damaged] ^= 1;
        File.WriteAllBytes(segment, bytes);
        foreach (var file in DayFiles(folder))
        {
            File.Delete(file);
        }

        using var service = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await service.PushAsync("next", Some.Message(_room, "next"))).Status);

        Assert.Equal(["message 0", "message 2", "next"], service.Lines(_room).Select(line => line["<@alice:localhost> ".Length..]));
        var quarantined = Assert.Single(Directory.GetFiles(folder["logs", ".quarantine"], "*.bin"));
        Assert.Contains("other 1", File.ReadAllText(quarantined));
        Assert.Contains(service.WarningsAndErrors, line => line.Contains("is damaged at byte", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_segment_with_a_damaged_header_is_quarantined_and_the_later_ones_are_replayed()
    {
        using var folder = await KilledAsync();
        var segment = Assert.Single(LogFolder.Segments(folder["logs"]));
        var bytes = File.ReadAllBytes(segment);
        bytes[20] ^= 1;
        File.WriteAllBytes(Path.Combine(Path.GetDirectoryName(segment)!, "000000"), bytes);
        foreach (var file in DayFiles(folder))
        {
            File.Delete(file);
        }

        await AssertRestoredAsync(folder, 3);
        var quarantined = Assert.Single(Directory.GetFiles(folder["logs", ".quarantine"], "*.bin"));
        Assert.Equal(bytes.AsSpan().TrimEnd((byte)0).ToArray(), File.ReadAllBytes(quarantined));
    }

    [Fact]
    public async Task A_room_whose_folder_cannot_be_opened_is_parked_and_the_other_rooms_are_replayed()
    {
        using var folder = await KilledAsync();
        Directory.Delete(folder["logs", _room], recursive: true);
        Directory.Delete(folder["logs", _otherRoom], recursive: true);
        File.WriteAllText(folder["logs", _room], "not a folder");
        using var service = new ServiceUnderTest(folder: folder);

        Assert.Equal(200, (await service.PushAsync("new", Some.Message(_room, "new"), Some.Message(_otherRoom, "new"))).Status);

        Assert.Equal(4, service.Record(_otherRoom).Count);
        var message = $"Failed to write the log of \"{_room}\"";
        Assert.Contains(service.WarningsAndErrors, line => line.Contains(message, StringComparison.Ordinal));
        File.Delete(folder["logs", _room]);
        var file = Assert.Single(DayFiles(folder), file => file.EndsWith(".jsonl", StringComparison.Ordinal));
        var record = folder["logs", _room, Path.GetFileName(file)];
        await Wait.UntilAsync(() => File.Exists(record) && File.ReadAllLines(record).Length == 4, "the room catches up");
        await service.CaughtUpAsync();
        LogFolder.AssertLineForLine(service.Logs);
    }

    /// <summary>Logs as a kill leaves them: three transactions of two rooms, in the journal and in the files.</summary>
    private async Task<TempFolder> KilledAsync()
    {
        var folder = TempFolder.ForCaller();
        using var service = new ServiceUnderTest();
        for (var i = 0; i < 3; i++)
        {
            string[] events = [Some.Message(_room, $"message {i}"), Some.Message(_otherRoom, $"other {i}")];
            Assert.Equal(200, (await service.PushAsync($"{i}", events)).Status);
        }

        LogFolder.Copy(service.Logs, folder["logs"]);
        return folder;
    }

    private static string[] DayFiles(TempFolder folder) =>
        [.. Directory.GetDirectories(folder["logs"], "!*").SelectMany(room => Directory.GetFiles(room, "2*"))];

    private static void Truncate(string path, int length)
    {
        using var file = File.OpenWrite(path);
        file.SetLength(length);
    }

    private async Task AssertRestoredAsync(TempFolder folder, int expected)
    {
        using var service = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await service.PushAsync("next", Some.Message(_room, "next"), Some.Message(_otherRoom, "next"))).Status);
        var messages = Enumerable.Range(0, expected).Select(i => $"<@alice:localhost> message {i}");
        Assert.Equal([.. messages, "<@alice:localhost> next"], service.Lines(_room));
        Assert.Equal(expected + 1, LogFolder.EventIds(service.Logs, _otherRoom).Distinct().Count());
        LogFolder.AssertLineForLine(service.Logs);
    }
}
