using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>
/// Files that other programs changed are repaired: a text matches its record line by line, and nothing foreign is destroyed.
/// </summary>
public class MendingTests
{
    private readonly string _room = Some.RoomId();

    public static TheoryData<string> ExternalChanges =>
    [
        "text deleted", "record deleted", "both deleted", "folder moved", "all removed", "text truncated", "record truncated",
        "both truncated", "record replaced by a shorter one", "text lengthened",
    ];

    [Theory]
    [MemberData(nameof(ExternalChanges))]
    public async Task External_changes_of_open_files_lose_no_event_that_is_acknowledged_later(string change)
    {
        using var folder = TempFolder.ForCaller();
        using (var service = new ServiceUnderTest(folder: folder))
        {
            await FillAsync(service);
            Apply(service.Logs, change);
            await service.PushUntilAcceptedAsync("a", Some.Message(_room, "after"));
            Assert.Equal("<@alice:localhost> after", service.Lines(_room)[^1]);
            LogFolder.AssertLineForLine(service.Logs);

            // After a kill, the replay must not write frames of the earlier files to the current ones.
            using var killed = TempFolder.ForCaller();
            LogFolder.Copy(service.Logs, killed["logs"]);
            using var restarted = new ServiceUnderTest(folder: killed);
            Assert.Equal(200, (await restarted.PushAsync("b", Some.Message(_room, "restarted"))).Status);
            Assert.Equal(["<@alice:localhost> after", "<@alice:localhost> restarted"], restarted.Lines(_room).TakeLast(2));
            LogFolder.AssertLineForLine(restarted.Logs);
        }
    }

    [Theory]
    [InlineData(".jsonl", "{\"event_id\":\"$torn", 3, true)]
    [InlineData(".log", "2026-11-23 12:00:00 +00:00 <@al", 3, false)]
    public async Task A_torn_last_line_is_quarantined_or_rendered_again(string suffix, string torn, int lines, bool isQuarantined)
    {
        using var folder = await StoppedAsync();
        File.AppendAllText(DayFile(folder, suffix), torn);
        using var service = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await service.PushAsync("a", Some.Message(_room, "after"))).Status);
        Assert.Equal(lines + 1, service.Record(_room).Count);
        LogFolder.AssertLineForLine(service.Logs);
        Assert.Equal(isQuarantined, Directory.Exists(Path.Combine(service.Logs, ".quarantine")));
    }

    [Fact]
    public async Task A_complete_last_line_gets_its_line_break()
    {
        using var folder = await StoppedAsync();
        var record = DayFile(folder, ".jsonl");
        File.WriteAllText(record, File.ReadAllText(record).TrimEnd('\n'));
        await AssertRepairedAsync(folder, 4);
    }

    [Fact]
    public async Task Lines_missing_from_the_text_are_rendered_from_the_record()
    {
        using var folder = await StoppedAsync();
        File.WriteAllLines(DayFile(folder, ".log"), File.ReadAllLines(DayFile(folder, ".log"))[..1]);
        await AssertRepairedAsync(folder, 4);
    }

    [Fact]
    public async Task A_text_with_too_many_lines_is_moved_aside_and_rendered_again()
    {
        using var folder = await StoppedAsync();
        File.AppendAllText(DayFile(folder, ".log"), "one more\n");
        var before = File.ReadAllText(DayFile(folder, ".log"));
        await AssertRepairedAsync(folder, 4);
        Assert.Equal(before, File.ReadAllText(DayFile(folder, ".log") + ".old"));
    }

    [Fact]
    public async Task Foreign_lines_without_received_ts_are_read_too()
    {
        using var folder = await StoppedAsync();
        var foreign = Some.Message(_room, "foreign");
        File.AppendAllText(DayFile(folder, ".jsonl"), foreign + "\n");
        File.Delete(DayFile(folder, ".log"));
        using var service = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await service.PushAsync("a", foreign, Some.Message(_room, "after"))).Status);
        Assert.Equal(5, service.Record(_room).Count);
        LogFolder.AssertLineForLine(service.Logs);
    }

    [Fact]
    public async Task A_line_of_the_record_that_is_no_event_is_rendered_too()
    {
        using var folder = await StoppedAsync();
        File.AppendAllText(DayFile(folder, ".jsonl"), "no event\n");
        using var service = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await service.PushAsync("a", Some.Message(_room, "after"))).Status);
        Assert.Equal(5, service.Lines(_room).Count);
        Assert.StartsWith("*** ", service.Lines(_room)[3], StringComparison.Ordinal);
    }

    private static string DayFile(string logs, string room, string suffix) =>
        Assert.Single(Directory.GetFiles(Path.Combine(logs, room), "2*" + suffix));

    private string DayFile(TempFolder folder, string suffix) => DayFile(folder["logs"], _room, suffix);

    private async Task FillAsync(ServiceUnderTest service)
    {
        for (var i = 0; i < 3; i++)
            Assert.Equal(200, (await service.PushAsync($"{i}", Some.Message(_room, $"message {i} {new string('x', 100 * i)}"))).Status);
    }

    private async Task<TempFolder> StoppedAsync()
    {
        var folder = TempFolder.ForCaller();
        using var service = new ServiceUnderTest(folder: folder);
        await FillAsync(service);
        return folder;
    }

    private async Task AssertRepairedAsync(TempFolder folder, int expected)
    {
        using var service = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await service.PushAsync("a", Some.Message(_room, "after"))).Status);
        Assert.Equal(expected, service.Record(_room).Count);
        LogFolder.AssertLineForLine(service.Logs);
    }

    private void Apply(string logs, string change)
    {
        var text = DayFile(logs, _room, ".log");
        var record = DayFile(logs, _room, ".jsonl");
        switch (change)
        {
            case "folder moved":
                Directory.Move(Path.Combine(logs, _room), Path.Combine(logs, "moved"));
                return;
            case "all removed":
                Directory.Delete(logs, recursive: true);
                return;
            case "text lengthened":
                File.AppendAllText(text, "a note\n");
                return;
            case "record replaced by a shorter one":
                var lines = File.ReadAllLines(record);
                File.WriteAllLines(record + ".edited", [lines[0], lines[2]]);
                File.Move(record + ".edited", record, overwrite: true);
                return;
        }

        foreach (var file in new[] { text, record })
        {
            var target = file == text ? "text" : "record";
            if (!change.StartsWith("both", StringComparison.Ordinal) && !change.StartsWith(target, StringComparison.Ordinal))
                continue;
            if (change.EndsWith("deleted", StringComparison.Ordinal))
                File.Delete(file);
            else
                File.WriteAllText(file, "");
        }
    }
}
