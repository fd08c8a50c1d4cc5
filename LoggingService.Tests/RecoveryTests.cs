using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What a kill or a power cut left is brought up to what had been acknowledged.</summary>
public class RecoveryTests
{
    private readonly string _room = Some.RoomId();
    private readonly string _other = Some.RoomId();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300)]
    [InlineData(-1)]
    public async Task Files_that_were_not_on_the_disk_yet_are_restored_from_the_journal(int left)
    {
        using var folder = await KilledAsync();
        foreach (var file in DayFiles(folder))
        {
            if (left < 0)
                File.Delete(file);
            else
                Cut(file, left);
        }

        await AssertAllThereAsync(folder, 3);
    }

    [Fact]
    public async Task What_stands_after_the_last_acknowledged_event_goes()
    {
        using var folder = await KilledAsync();
        foreach (var file in DayFiles(folder))
            File.AppendAllText(file, "{\"event_id\":\"$never acknow");
        await AssertAllThereAsync(folder, 3);
    }

    [Fact]
    public async Task A_frame_that_was_torn_was_never_acknowledged_and_those_before_it_count()
    {
        using var folder = await KilledAsync();
        var segment = Assert.Single(LogFolder.Segments(folder["logs"]));
        using (var file = File.OpenWrite(segment))
            file.SetLength(file.Length - 5);
        foreach (var file in DayFiles(folder))
            File.Delete(file);
        await AssertAllThereAsync(folder, 2);
    }

    [Fact]
    public async Task A_damaged_earlier_segment_is_kept_in_the_quarantine_and_the_rest_is_applied()
    {
        using var folder = await KilledAsync();
        var segment = Assert.Single(LogFolder.Segments(folder["logs"]));
        var whole = File.ReadAllBytes(segment);
        File.WriteAllBytes(segment, [.. whole, .. "rubbish"u8]);
        File.WriteAllBytes(Path.Combine(Path.GetDirectoryName(segment)!, "000009"), whole);
        foreach (var file in DayFiles(folder))
            File.Delete(file);
        await AssertAllThereAsync(folder, 3);
        Assert.Equal([.. whole, .. "rubbish"u8], File.ReadAllBytes(Assert.Single(Directory.GetFiles(folder["logs", ".quarantine"], "journal-*"))));
    }

    [Fact]
    public async Task As_long_as_the_journal_can_not_be_applied_the_homeserver_is_told_to_wait()
    {
        using var folder = await KilledAsync();
        var away = folder["away"];
        Directory.Move(folder["logs", _room], away);
        File.WriteAllText(folder["logs", _room], "not a folder");
        using var service = new ServiceUnderTest(folder: folder);
        Assert.InRange((await service.PushAsync("new", Some.Message(_other, "new"))).Status, 500, 599);
        Assert.NotEmpty(LogFolder.Segments(service.Logs));
        File.Delete(folder["logs", _room]);
        Assert.Equal(200, (await service.PushAsync("new", Some.Message(_other, "new"))).Status);
        Assert.Equal(3, service.Record(_room).Count);
        Assert.Equal(4, service.Record(_other).Count);
        LogFolder.AssertLineForLine(service.Logs);
    }

    /// <summary>Logs as a kill leaves them: three transactions of both rooms, in the journal and in the files.</summary>
    private async Task<TempFolder> KilledAsync()
    {
        var folder = TempFolder.ForCaller();
        using var service = new ServiceUnderTest();
        for (var i = 0; i < 3; i++)
            Assert.Equal(200, (await service.PushAsync($"{i}", Some.Message(_room, $"message {i}"), Some.Message(_other, $"other {i}"))).Status);
        LogFolder.Copy(service.Logs, folder["logs"]);
        return folder;
    }

    private static string[] DayFiles(TempFolder folder) =>
        [.. Directory.GetDirectories(folder["logs"], "!*").SelectMany(room => Directory.GetFiles(room, "2*"))];

    private static void Cut(string path, int length)
    {
        using var file = File.OpenWrite(path);
        file.SetLength(length);
    }

    private async Task AssertAllThereAsync(TempFolder folder, int expected)
    {
        using var service = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await service.PushAsync("next", Some.Message(_room, "next"), Some.Message(_other, "next"))).Status);
        Assert.Equal([.. Enumerable.Range(0, expected).Select(i => $"<@alice:localhost> message {i}"), "<@alice:localhost> next"], service.Lines(_room));
        Assert.Equal(expected + 1, LogFolder.EventIds(service.Logs, _other).Distinct().Count());
        LogFolder.AssertLineForLine(service.Logs);
    }
}
