using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>The first start on the log directory of a killed LoggingService 0.1.</summary>
public sealed class UpgradeTests : IDisposable
{
    private const long FirstTs = 1795437020000;
    private const string Day = "20261123";
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly LegacyJournal _journal;
    private readonly string _room = Some.RoomId();
    private readonly string _otherRoom = Some.RoomId();
    private int _events;

    public UpgradeTests() => _journal = new(Logs);

    private string Logs => _folder["logs"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 0)]
    [InlineData(0, 3)]
    [InlineData(3, 3)]
    public async Task Every_event_of_the_journal_is_logged_once(int inRecord, int inText)
    {
        string[] lines = [Line(_room), Line(_room), Line(_room)];
        AppendTo(1, _room, lines[..2]);
        AppendTo(2, _room, lines[2..], offset: lines[0].Length + lines[1].Length);
        AppendTo(2, _otherRoom, Line(_otherRoom));
        Write(_room, string.Concat(lines[..inRecord]), Texts(inText));

        await StartAsync(service =>
        {
            Assert.Equal(lines, service.Record(_room).Select(line => line + "\n"));
            Assert.Single(service.Record(_otherRoom));
        });
    }

    [Fact]
    public async Task Lines_that_the_kill_tore_are_completed()
    {
        var line = Line(_room);
        var next = Line(_room);
        AppendTo(1, _room, line + next);
        Write(_room, line + next[..20], Texts(1) + "2026-11-23 19:2");
        await StartAsync(service => Assert.Equal([line, next], service.Record(_room).Select(kept => kept + "\n")));
        Assert.False(Directory.Exists(_folder["logs", ".quarantine"]));
    }

    [Fact]
    public async Task Lines_before_the_journal_stay()
    {
        var synced = Line(_room);
        var line = Line(_room);
        Write(_room, synced, Texts(1));
        AppendTo(1, _room, [line], offset: synced.Length);
        await StartAsync(service => Assert.Equal([synced, line], service.Record(_room).Select(kept => kept + "\n")));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(5, 0)]
    public async Task Lines_that_another_program_had_removed_stay_removed(int segmentsLater, int linesLeft)
    {
        string[] lines = [Line(_room), Line(_room), Line(_room)];
        AppendTo(1, _room, lines[..2]);
        AppendTo(1 + segmentsLater, _room, lines[2..], offset: lines.Take(linesLeft).Sum(line => line.Length));
        await StartAsync(service =>
            Assert.Equal([.. lines.Take(linesLeft), lines[2]], service.Record(_room).Select(kept => kept + "\n")));
    }

    [Fact]
    public async Task Lines_of_a_file_that_another_program_had_replaced_stay_removed()
    {
        var line = Line(_room);
        AppendTo(1, _room, Line(_room));
        AppendTo(1, _room, line, offset: 100_000);
        await StartAsync(service => Assert.Equal(line, Assert.Single(service.Record(_room)) + "\n"));
    }

    [Theory]
    [InlineData("json", "{\"no\":\"event\"}")]
    [InlineData("base64", "\"AAECAwQF\"")]
    public async Task A_line_of_the_quarantine_is_kept_as_it_is(string key, string value)
    {
        var line = $$"""{"received_ts":{{FirstTs}},"reason":"an event without an id","transaction_id":"t1","{{key}}":{{value}}}""";
        _journal.Append(1, ($".quarantine/{Day}.jsonl", 0, line + "\n"));
        await StartAsync(_ => Assert.Equal(line, Assert.Single(File.ReadLines(_folder["logs", ".quarantine", $"{Day}.jsonl"]))));
    }

    [Fact]
    public async Task A_frame_that_was_never_acknowledged_is_ignored()
    {
        AppendTo(1, _room, Line(_room));
        _journal.AppendBytes(1, [200, 0, 0, 0, .. "torn"u8]);
        await StartAsync(service => Assert.Single(service.Record(_room)));
        Assert.False(Directory.Exists(_folder["logs", ".quarantine"]));
    }

    [Fact]
    public async Task Damaged_bytes_before_other_frames_are_quarantined()
    {
        AppendTo(1, _room, Line(_room));
        _journal.AppendBytes(1, "damaged"u8.ToArray());
        AppendTo(2, _room, Line(_room), offset: 1_000);
        await StartAsync(service => Assert.NotEmpty(service.Record(_room)));
        var kept = Assert.Single(Directory.GetFiles(_folder["logs", ".quarantine"], "*.bin"));
        Assert.Equal("damaged", File.ReadAllText(kept));
    }

    [Fact]
    public async Task A_killed_upgrade_is_repeated()
    {
        string[] lines = [Line(_room), Line(_room)];
        AppendTo(1, _room, lines);
        File.WriteAllText(_folder["logs", ".journal", "upgrade"], "unfinished");
        await StartAsync(service => Assert.Equal(lines, service.Record(_room).Select(kept => kept + "\n")));
    }

    [Fact]
    public async Task An_upgrade_that_was_killed_after_its_segment_was_durable_only_removes_the_old_ones()
    {
        AppendTo(1, _room, Line(_room));
        AppendTo(2, _room, Line(_room), offset: 1_000);
        var old = File.ReadAllBytes(_journal.PathOf(2));
        using (var service = new ServiceUnderTest(folder: _folder))
        {
            await service.CaughtUpAsync();
            LogFolder.Copy(Logs, _folder["killed"]);
        }

        Directory.Delete(Logs, recursive: true);
        Directory.Move(_folder["killed"], Logs);
        File.WriteAllBytes(_journal.PathOf(2), old);
        Assert.Equal(2, LogFolder.Segments(Logs).Length);
        await StartAsync(service => Assert.Single(service.Record(_room)));
    }

    /// <summary>Starts today's service, twice, and leaves only its own segments.</summary>
    private async Task StartAsync(Action<ServiceUnderTest> check)
    {
        for (var start = 0; start < 2; start++)
        {
            using var service = new ServiceUnderTest(folder: _folder);
            Assert.Equal(200, (await service.PushAsync("t")).Status);
            check(service);
            LogFolder.AssertLineForLine(Logs);
            Assert.DoesNotContain(LogFolder.Segments(Logs), path => File.ReadAllBytes(path) is [_, _, _, not 0xFF, ..]);
            Assert.False(File.Exists(_folder["logs", ".journal", "used"]));
        }
    }

    private string Line(string room) => LegacyJournal.RecordLine(Some.Message(room, $"event {++_events}", at: FirstTs), FirstTs + _events);

    private static string Texts(int count) => string.Concat(
        Enumerable.Range(1, count).Select(n => $"2026-11-23 12:30:20 +00:00 <@alice:localhost> event {n}\n"));

    private void AppendTo(int segment, string room, string line, long offset = 0) => AppendTo(segment, room, [line], offset);

    private void AppendTo(int segment, string room, string[] lines, long offset = 0) =>
        _journal.Append(segment, ($"{room}/{Day}.jsonl", offset, string.Concat(lines)), ($"{room}/{Day}.log", 0, "text\n"));

    private void Write(string room, string record, string text)
    {
        Directory.CreateDirectory(_folder["logs", room]);
        File.WriteAllText(_folder["logs", room, $"{Day}.jsonl"], record);
        File.WriteAllText(_folder["logs", room, $"{Day}.log"], text);
    }
}
