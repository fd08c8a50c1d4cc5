using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>What others did to the files is noticed before the next 200, and text and record are line for line again.</summary>
public class MendingTests
{
    private readonly string _room = Some.RoomId();

    public static TheoryData<string> ExternalChanges => ["text deleted", "record deleted", "both deleted", "folder moved", "all removed", "text truncated", "record truncated", "both truncated", "record replaced by a shorter one", "text lengthened"];

    [Theory]
    [MemberData(nameof(ExternalChanges))]
    public async Task Files_that_are_touched_while_they_are_open_lose_nothing_that_is_acknowledged_later(string touch)
    {
        using var folder = TempFolder.ForCaller();
        using (var service = new ServiceUnderTest(folder: folder))
        {
            await FillAsync(service);
            Touch(service.Logs, touch);
            if ((await service.PushAsync("a", Some.Message(_room, "after"))).Status != 200)
                Assert.Equal(200, (await service.PushAsync("a", Some.Message(_room, "after"))).Status);
            Assert.Equal("<@alice:localhost> after", service.Lines(_room)[^1]);
            LogFolder.AssertLineForLine(service.Logs);

            // A kill at once: what the journal had of the files before must not come over what they are now.
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
    public async Task An_unfinished_last_line_is_kept_or_made_again(string suffix, string torn, int lines, bool isKept)
    {
        using var folder = await StoppedAsync();
        File.AppendAllText(DayFile(folder, suffix), torn);
        using var service = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await service.PushAsync("a", Some.Message(_room, "after"))).Status);
        Assert.Equal(lines + 1, service.Record(_room).Count);
        LogFolder.AssertLineForLine(service.Logs);
        Assert.Equal(isKept, Directory.Exists(Path.Combine(service.Logs, ".quarantine")));
    }

    [Fact]
    public async Task A_whole_last_line_gets_its_line_break()
    {
        using var folder = await StoppedAsync();
        var record = DayFile(folder, ".jsonl");
        File.WriteAllText(record, File.ReadAllText(record).TrimEnd('\n'));
        await AssertMendedAsync(folder, 4);
    }

    [Fact]
    public async Task Lines_that_the_text_lacks_are_made_from_the_record()
    {
        using var folder = await StoppedAsync();
        File.WriteAllLines(DayFile(folder, ".log"), File.ReadAllLines(DayFile(folder, ".log"))[..1]);
        await AssertMendedAsync(folder, 4);
    }

    [Fact]
    public async Task A_text_with_too_many_lines_is_kept_aside_and_made_anew()
    {
        using var folder = await StoppedAsync();
        File.AppendAllText(DayFile(folder, ".log"), "one more\n");
        var before = File.ReadAllText(DayFile(folder, ".log"));
        await AssertMendedAsync(folder, 4);
        Assert.Equal(before, File.ReadAllText(DayFile(folder, ".log") + ".old"));
    }

    [Fact]
    public async Task Lines_from_elsewhere_without_a_time_of_arrival_are_read_too()
    {
        using var folder = await StoppedAsync();
        var foreign = Some.Message(_room, "from elsewhere");
        File.AppendAllText(DayFile(folder, ".jsonl"), foreign + "\n");
        File.Delete(DayFile(folder, ".log"));
        using var service = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await service.PushAsync("a", foreign, Some.Message(_room, "after"))).Status);
        Assert.Equal(5, service.Record(_room).Count);
        LogFolder.AssertLineForLine(service.Logs);
    }

    [Fact]
    public async Task A_line_of_the_record_that_is_no_event_has_a_line_too()
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

    private async Task AssertMendedAsync(TempFolder folder, int expected)
    {
        using var service = new ServiceUnderTest(folder: folder);
        Assert.Equal(200, (await service.PushAsync("a", Some.Message(_room, "after"))).Status);
        Assert.Equal(expected, service.Record(_room).Count);
        LogFolder.AssertLineForLine(service.Logs);
    }

    private void Touch(string logs, string touch)
    {
        var (text, record) = (DayFile(logs, _room, ".log"), DayFile(logs, _room, ".jsonl"));
        switch (touch)
        {
            case "folder moved": Directory.Move(Path.Combine(logs, _room), Path.Combine(logs, "moved")); return;
            case "all removed": Directory.Delete(logs, recursive: true); return;
            case "text lengthened": File.AppendAllText(text, "somebody's note\n"); return;
            case "record replaced by a shorter one":
                var lines = File.ReadAllLines(record);
                File.WriteAllLines(record + ".edited", [lines[0], lines[2]]);
                File.Move(record + ".edited", record, overwrite: true);
                return;
        }

        foreach (var file in new[] { text, record })
        {
            if (touch.StartsWith("both", StringComparison.Ordinal) || touch.StartsWith(file == text ? "text" : "record", StringComparison.Ordinal))
            {
                if (touch.EndsWith("deleted", StringComparison.Ordinal))
                    File.Delete(file);
                else
                    File.WriteAllText(file, "");
            }
        }
    }
}
