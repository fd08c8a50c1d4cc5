using System.Runtime.Versioning;
using System.Text;
using LoggingService.Events;
using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class KnownEventsTests : IDisposable
{
    private static readonly DateOnly Today = new(2026, 11, 23);
    private static readonly DateOnly Yesterday = Today.AddDays(-1);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("known");
    private readonly IdFilterCache _filters = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void An_event_is_known_once_it_is_appended()
    {
        using var known = Open(Today);
        Assert.False(known.Contains("$a"));

        Append(known, Event("$a"));
        Append(known, Event("$b"));

        Assert.True(known.Contains("$a"));
        Assert.Equal((Today, (long)Line(Event("$a")).Length), known.Find("$b"));
        Assert.False(known.Contains("$c"));
        Assert.Null(known.Find("$c"));
    }

    [Fact]
    public void A_reopened_room_reads_the_day_s_ids_from_the_file_and_not_the_record()
    {
        WriteMany(Today, 1000);
        OpenAndSave(Today);

        // The record's new id is not in the file, which counts as long as the stamp is equal.
        Overwrite(Today, File.ReadAllText(Record(Today)).Replace("$m999", "$x999"));

        using var known = Open(Today);
        Assert.Equal(999, Count(known, "$m", 999));
        Assert.False(known.Contains("$x999"));
        Assert.False(known.Contains("$m999"));
        Assert.True(known.Contains("$x999"));
    }

    [Fact]
    public void Lines_that_are_no_events_are_skipped_and_notes_and_stubs_are_known()
    {
        var lines = "\uFEFF" + Line(Event("$first")) + "torn}\n\0\0\0\n{\"a\":1}\n" + "{\"event_id\":\"$stub\",\"received_ts\":1}\n"
            + "{\"event_id\":\"stopped-1\",\"received_ts\":1,\"note\":true}\n{\"event_id\":\"$torn";
        File.WriteAllText(Record(Yesterday), lines);

        using var known = Open(Today);

        Assert.True(known.Contains("$first"));
        Assert.True(known.Contains("$stub"));
        Assert.True(known.Contains("stopped-1"));
        Assert.False(known.Contains("$torn"));
        Assert.Equal((Yesterday, 0), known.Find("$first"));
    }

    [Theory]
    [InlineData("deleted")]
    [InlineData("torn")]
    [InlineData("empty")]
    [InlineData("appended")]
    [InlineData("replaced")]
    [InlineData("unreadable")]
    public void Ids_that_are_not_of_the_record_are_built_again(string what)
    {
        WriteMany(Yesterday, 1000);
        OpenAndSave(Today);
        var ids = Ids(Yesterday);
        var length = new FileInfo(ids).Length;
        var added = "$m0";
        switch (what)
        {
            case "deleted":
                KnownEvents.Discard(_folder.FullName, Yesterday);
                Assert.False(File.Exists(ids));
                break;
            case "torn":
                Truncate(ids, length - 100);
                break;
            case "empty":
                Truncate(ids, 0);
                break;
            case "appended":
                added = "$appended";
                File.AppendAllText(Record(Yesterday), Line(Event(added)));
                break;
            case "replaced":
                // Of equal length and time, but another file.
                added = "$x999";
                var time = File.GetLastWriteTimeUtc(Record(Yesterday));
                File.WriteAllText(Record(Yesterday) + ".tmp", File.ReadAllText(Record(Yesterday)).Replace("$m999", added));
                File.Move(Record(Yesterday) + ".tmp", Record(Yesterday), overwrite: true);
                File.SetLastWriteTimeUtc(Record(Yesterday), time);
                break;
            default:
                File.Delete(ids);
                Directory.CreateDirectory(ids);
                break;
        }

        using (var known = Open(Today))
        {
            Assert.True(known.Contains(added));
            Assert.Equal(what != "replaced", known.Contains("$m999"));
            Assert.Equal(999, Count(known, "$m", 999));
            Assert.Equal(what == "unreadable", known.Size > 2000);
        }
    }

    [Fact]
    public void A_flipped_byte_in_any_block_loses_no_id()
    {
        WriteMany(Yesterday, 1000);
        OpenAndSave(Today);
        var good = File.ReadAllBytes(Ids(Yesterday));
        Assert.True(good.Length > 4 * 4096);
        for (var position = 100; position < good.Length; position += 4096)
        {
            var bad = good.ToArray();
            bad[position] ^= 0xFF;
            File.WriteAllBytes(Ids(Yesterday), bad);

            using var known = Open(Today);

            Assert.Equal(1000, Count(known, "$m", 1000));
            Assert.Equal(0, Count(known, "$n", 1000));
            Assert.NotEqual(bad, File.ReadAllBytes(Ids(Yesterday)));
        }
    }

    [Fact]
    public void An_edit_within_a_record_of_equal_length_is_found_by_reading_the_line()
    {
        WriteMany(Yesterday, 10);
        OpenAndSave(Today);
        using var known = Open(Today);
        Overwrite(Yesterday, File.ReadAllText(Record(Yesterday)).Replace("$m3", "$x3"));

        Assert.False(known.Contains("$m3"));
        Assert.True(known.Contains("$x3"));
    }

    [Fact]
    public void Events_of_a_day_that_retention_removed_stay_known()
    {
        File.WriteAllText(Record(Yesterday), Line(Event("$a")) + Line(Redaction("$r", "$gone")) + Line(Edit("$e", "$a")));
        OpenAndSave(Today);
        File.Delete(Record(Yesterday));

        using var known = Open(Today);

        Assert.True(known.Contains("$a"));
        Assert.True(known.IsRemoved("$gone"));
        Assert.Null(known.Find("$a"));
        Assert.Null(known.NewestEdit("$a"));
        Assert.False(known.Contains("$b"));
    }

    [Fact]
    public void Days_ahead_of_the_clock_count_and_the_32nd_day_does_not()
    {
        for (var back = -5; back < 27; back++)
        {
            File.WriteAllText(Record(Today.AddDays(-back)), Line(Event($"$day{back}")));
        }

        using (var known = Open(Today))
        {
            Assert.True(known.Contains("$day-5"));
            Assert.True(known.Contains("$day25"));
            Assert.False(known.Contains("$day26"));
        }

        File.Delete(Record(Today));
        File.Delete(Ids(Today));
        using (var known = Open(Today.AddYears(-1)))
        {
            Assert.True(known.Contains("$day26"));
            Append(known, Event("$now"));
            Assert.True(known.Contains("$now"));
        }
    }

    [Fact]
    public void At_midnight_the_ids_are_handed_over_without_reading_the_record()
    {
        using var known = Open(Yesterday);
        Append(known, Event("$a"));
        Append(known, Event("$b"));
        var (record, text) = Stats(Yesterday);
        var content = File.ReadAllText(Record(Yesterday));
        Overwrite(Yesterday, new string('x', content.Length));
        known.StartDay(Today, record, text);
        Overwrite(Yesterday, content);
        var written = File.GetLastWriteTimeUtc(Ids(Yesterday));
        Append(known, Event("$c"));

        Assert.Equal(Today, known.Day);
        Assert.True(known.Contains("$a"));
        Assert.Equal((Today, 0), known.Find("$c"));
        Assert.Equal((Yesterday, (long)Line(Event("$a")).Length), known.Find("$b"));
        Assert.Equal(written, File.GetLastWriteTimeUtc(Ids(Yesterday)));
    }

    [Fact]
    public void A_day_that_starts_again_has_its_ids()
    {
        using var known = Open(Today);
        Append(known, Event("$a"));
        Start(known, Yesterday);
        Append(known, Event("$b"));
        Start(known, Today);
        Append(known, Event("$c"));

        Assert.Equal(3, new[] { "$a", "$b", "$c" }.Count(known.Contains));
        Assert.Equal((Today, 0), known.Find("$a"));
        Assert.Equal((Yesterday, 0), known.Find("$b"));
    }

    [Fact]
    public void A_record_that_others_appended_to_before_midnight_is_read_again()
    {
        using var known = Open(Yesterday);
        Append(known, Event("$a"));
        var (record, text) = Stats(Yesterday);
        File.AppendAllText(Record(Yesterday), Line(Event("$foreign")));
        known.StartDay(Today, record, text);

        Assert.True(known.Contains("$foreign"));
        Assert.True(known.Contains("$a"));
    }

    [Fact]
    public void Ids_that_cannot_be_written_stay_in_memory()
    {
        using var known = Open(Yesterday);
        Append(known, Event("$a"));
        Directory.CreateDirectory(Ids(Yesterday) + "/is a folder");
        Start(known, Today);

        Assert.True(known.Contains("$a"));
        Assert.Equal((Yesterday, 0), known.Find("$a"));
    }

    [Fact]
    public void Removals_and_edits_are_found_newest_first()
    {
        using var known = Open(Yesterday);
        Append(known, Event("$a"));
        Append(known, Edit("$e1", "$a"));
        Append(known, Edit("$e2", "$a"));
        Append(known, Event("$b"));
        Assert.Equal(known.Find("$e2"), known.NewestEdit("$a"));
        Start(known, Today);
        Assert.Equal(known.Find("$e2"), known.NewestEdit("$a"));

        Append(known, Edit("$e3", "$a"));
        Append(known, Redaction("$r", "$b"));
        Append(known, OldRedaction("$r2", "$e1"));

        Assert.Equal((Today, 0), known.NewestEdit("$a"));
        Assert.True(known.Contains("$e1"));
        Assert.True(known.IsRemoved("$b"));
        Assert.True(known.IsRemoved("$e1"));
        Assert.False(known.IsRemoved("$a"));
        Assert.Null(known.NewestEdit("$b"));
        Assert.False(known.IsRemoved("$r"));
        Assert.Null(known.NewestEdit("$e3"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Different_ids_of_equal_hash_are_told_apart(bool isReadFromRecord)
    {
        // All ids and all kinds have one of two hashes; the higher one wraps around.
        Func<string, ulong, ulong> hash = (id, _) => id.Length % 2 == 0 ? ulong.MaxValue : 7;
        using var known = KnownEvents.Open(_folder.FullName, Yesterday, _filters, hash);
        for (var i = 0; i < 10; i++)
        {
            Append(known, Event($"$a{i}"));
        }

        Append(known, Edit("$e0", "$a1"));
        Append(known, Edit("$e1", "$a2"));
        Append(known, Edit("$e2", "$a1"));
        Append(known, Redaction("$r0", "$a3"));
        Check(known);
        Start(known, Today);
        if (isReadFromRecord)
        {
            KnownEvents.Discard(_folder.FullName, Yesterday);
        }

        Check(known);
        var written = File.GetLastWriteTimeUtc(Ids(Yesterday));
        Check(known);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Ids(Yesterday)));

        static void Check(KnownEvents known)
        {
            Assert.Equal(10, Enumerable.Range(0, 10).Count(i => known.Contains($"$a{i}")));
            Assert.Equal(10, Enumerable.Range(0, 10).Select(i => known.Find($"$a{i}")).Distinct().Count());
            Assert.False(known.Contains("$b1"));
            Assert.False(known.Contains("$b10"));
            Assert.Equal(known.Find("$e2"), known.NewestEdit("$a1"));
            Assert.Equal(known.Find("$e1"), known.NewestEdit("$a2"));
            Assert.Null(known.NewestEdit("$a3"));
            Assert.True(known.IsRemoved("$a3"));
            Assert.False(known.IsRemoved("$a1"));
        }
    }

    [Fact]
    public void False_positives_of_the_filter_are_no_hits()
    {
        WriteMany(Yesterday, 2000);
        using var known = Open(Today);
        var words = EventIdFile.Read(Ids(Yesterday), RecordStamp.Read(Record(Yesterday)), file => file.ReadFilter()).Words!;
        var falsePositives = Enumerable.Range(0, 20_000).Count(i => IdFilter.MayContain(words, (ulong)i * 0x9E3779B97F4A7C15));

        Assert.InRange(falsePositives, 1, 600);
        Assert.Equal(0, Count(known, "$n", 20_000));
        Assert.Equal(2000, Count(known, "$m", 2000));
    }

    [Fact]
    public void Filters_that_the_cache_evicts_are_read_again()
    {
        var filters = new IdFilterCache(capacity: 4000);
        for (var back = 1; back < 10; back++)
        {
            WriteMany(Today.AddDays(-back), 1000, $"$d{back}-");
        }

        using (var known = KnownEvents.Open(_folder.FullName, Today, filters))
        {
            for (var back = 1; back < 10; back++)
            {
                Assert.Equal(1000, Count(known, $"$d{back}-", 1000));
                Assert.InRange(filters.Size, 1, 4000);
            }
        }

        Assert.Equal(0, filters.Size);
    }

    [Fact]
    public void An_unreadable_record_is_an_error()
    {
        // A link to itself: the tests may run as root, who may read everything else.
        File.CreateSymbolicLink(Record(Yesterday), Record(Yesterday));

        var error = Xunit.Record.Exception(() => Open(Today).Dispose());

        Assert.True(error is IOException or UnauthorizedAccessException, $"{error}");
    }

    [Fact]
    public void A_text_that_changed_since_the_ids_were_written_is_noticed()
    {
        using (var known = Open(Today))
        {
            Assert.True(known.TextMatches);
            Append(known, Event("$a"));
            File.WriteAllText(Text(Today), "a line\n");
            var (record, text) = Stats(Today);
            known.Save(record, text);
        }

        using (var known = Open(Today))
        {
            Assert.True(known.TextMatches);
        }

        File.AppendAllText(Text(Today), "another\n");
        using (var known = Open(Today))
        {
            Assert.False(known.TextMatches);
            Assert.True(known.Contains("$a"));
        }

        KnownEvents.Discard(_folder.FullName, Today);
        using (var known = Open(Today))
        {
            Assert.False(known.TextMatches);
        }
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(30_000)]
    [InlineData(200_000)]
    public void An_id_takes_at_most_40_bytes(int count)
    {
        var table = new EventIdTable(seed: 1);
        var largest = 0.0;
        for (var i = 0; i < count; i++)
        {
            table.Set(System.IO.Hashing.XxHash3.HashToUInt64(BitConverter.GetBytes(i)), i);
            if (i > 900 && (i % 7 == 0))
            {
                // The old copy of a partition is still there.
                largest = Math.Max(largest, table.Size * 17.0 / 16 / i);
            }
        }

        Assert.InRange(largest, 16, 40);
        Assert.Equal(count, table.ToSortedArray().Length);
        Assert.Equal(5, table.Get(System.IO.Hashing.XxHash3.HashToUInt64(BitConverter.GetBytes(5))));
        Assert.Null(table.Get(42));
    }

    private static string Event(string id) => Json(id, "m.room.message", "{}");

    private static string Edit(string id, string target) =>
        Json(id, "m.room.message", $$$"""{"m.relates_to":{"rel_type":"m.replace","event_id":"{{{target}}}"} }""");

    private static string Redaction(string id, string target) => Json(id, "m.room.redaction", $$"""{"redacts":"{{target}}"}""");

    private static string OldRedaction(string id, string target) => Json(id, "m.room.redaction", $$"""{},"redacts":"{{target}}" """);

    private static string Json(string id, string type, string content) =>
        $$"""{"event_id":"{{id}}","room_id":"!r:e.org","type":"{{type}}","content":{{content}}}""";

    private static string Line(string json) => $"{json[..^1]},\"received_ts\":1}}\n";

    private static int Count(KnownEvents known, string prefix, int count) =>
        Enumerable.Range(0, count).Count(i => known.Contains($"{prefix}{i}"));

    private static void Truncate(string path, long length)
    {
        using var file = new FileStream(path, FileMode.Open);
        file.SetLength(length);
    }

    private KnownEvents Open(DateOnly day) => KnownEvents.Open(_folder.FullName, day, _filters);

    private void OpenAndSave(DateOnly day)
    {
        using var known = Open(day);
        var (record, text) = Stats(day);
        known.Save(record, text);
    }

    private void Start(KnownEvents known, DateOnly day)
    {
        var (record, text) = Stats(known.Day);
        known.StartDay(day, record, text);
    }

    private void Append(KnownEvents known, string json)
    {
        Assert.True(RawJson.TryParse(Encoding.UTF8.GetBytes(json), out var parsed, out _));
        Assert.True(RoomEvent.TryRead(parsed, out var roomEvent, out var reason), reason);
        var record = Record(known.Day);
        var offset = File.Exists(record) ? new FileInfo(record).Length : 0;
        File.AppendAllText(record, Line(json));
        known.Add(roomEvent, offset);
    }

    // In place: inode, length and time stay.
    private void Overwrite(DateOnly day, string content)
    {
        var time = File.GetLastWriteTimeUtc(Record(day));
        using (var file = new FileStream(Record(day), FileMode.Open))
        {
            Assert.Equal(file.Length, content.Length);
            file.Write(Encoding.UTF8.GetBytes(content));
        }

        File.SetLastWriteTimeUtc(Record(day), time);
    }

    private void WriteMany(DateOnly day, int count, string prefix = "$m") =>
        File.WriteAllText(Record(day), string.Concat(Enumerable.Range(0, count).Select(i => Line(Event($"{prefix}{i}")))));

    private (Posix.FileIdentity? Record, Posix.FileIdentity? Text) Stats(DateOnly day) =>
        (Posix.Stat(Record(day)), Posix.Stat(Text(day)));

    private string Record(DateOnly day) => Path.Combine(_folder.FullName, DayFileName.Record(day).ToString());

    private string Text(DateOnly day) => Path.Combine(_folder.FullName, DayFileName.Text(day).ToString());

    private string Ids(DateOnly day) => Path.Combine(_folder.FullName, DayFileName.Ids(day).ToString());
}
