using System.Runtime.Versioning;
using LoggingService.RoomLogs;

namespace LoggingService.Tests;

/// <summary>Which events are known: of 31 days, across midnight, with their redactions and edits.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class KnownEventsTests : KnownEventsTestBase
{
    [Fact]
    public void An_event_is_known_once_it_is_appended()
    {
        var known = Open(Today);
        Assert.False(known.Contains("$a"));

        Append(known, Event("$a"));
        Append(known, Event("$b"));

        Assert.True(known.Contains("$a"));
        Assert.Equal((Today, (long)Line(Event("$a")).Length), known.Find("$b"));
        Assert.False(known.Contains("$c"));
        Assert.Null(known.Find("$c"));
    }

    [Fact]
    public void Lines_that_are_no_events_are_skipped_and_notes_and_stubs_are_known()
    {
        var lines = "\uFEFF" + Line(Event("$first")) + "torn}\n\0\0\0\n{\"a\":1}\n" + "{\"event_id\":\"$stub\",\"received_ts\":1}\n"
            + "{\"event_id\":\"stopped-1\",\"received_ts\":1,\"note\":true}\n{\"event_id\":\"$torn";
        File.WriteAllText(Record(Yesterday), lines);

        var known = Open(Today);

        Assert.True(known.Contains("$first"));
        Assert.True(known.Contains("$stub"));
        Assert.True(known.Contains("stopped-1"));
        Assert.False(known.Contains("$torn"));
        Assert.Equal((Yesterday, 0), known.Find("$first"));
    }

    [Fact]
    public void Days_ahead_of_the_clock_count_and_the_32nd_day_does_not()
    {
        for (var back = -5; back < 27; back++)
        {
            File.WriteAllText(Record(Today.AddDays(-back)), Line(Event($"$day{back}")));
        }

        var known = Open(Today);
        Assert.True(known.Contains("$day-5"));
        Assert.True(known.Contains("$day25"));
        Assert.False(known.Contains("$day26"));

        File.Delete(Record(Today));
        File.Delete(Ids(Today));
        known = Open(Today.AddYears(-1));
        Assert.True(known.Contains("$day26"));
        Append(known, Event("$now"));
        Assert.True(known.Contains("$now"));
    }

    [Fact]
    public void At_midnight_the_ids_are_handed_over_without_reading_the_record()
    {
        var known = Open(Yesterday);
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
        var known = Open(Today);
        Append(known, Event("$a"));
        Start(known, Yesterday);
        Append(known, Event("$b"));
        Start(known, Today);
        Append(known, Event("$c"));

        Assert.Equal(3, new[] { "$a", "$b", "$c" }.Count(id => known.Contains(id)));
        Assert.Equal((Today, 0), known.Find("$a"));
        Assert.Equal((Yesterday, 0), known.Find("$b"));
    }

    [Fact]
    public void A_record_that_others_appended_to_before_midnight_is_read_again()
    {
        var known = Open(Yesterday);
        Append(known, Event("$a"));
        var (record, text) = Stats(Yesterday);
        File.AppendAllText(Record(Yesterday), Line(Event("$foreign")));
        known.StartDay(Today, record, text);

        Assert.True(known.Contains("$foreign"));
        Assert.True(known.Contains("$a"));
    }

    [Fact]
    public void Removals_and_edits_are_found_newest_first()
    {
        var known = Open(Yesterday);
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
        Assert.True(IsRemoved(known, "$b"));
        Assert.True(IsRemoved(known, "$e1"));
        Assert.False(IsRemoved(known, "$a"));
        Assert.Null(known.NewestEdit("$b"));
        Assert.False(IsRemoved(known, "$r"));
        Assert.Null(known.NewestEdit("$e3"));
    }

    [Fact]
    public void The_newest_state_is_found_on_any_day()
    {
        var known = Open(Yesterday);
        Append(known, State("$a", "m.room.topic", ""));
        Append(known, State("$b", "m.room.topic", ""));
        Append(known, State("$c", "m.room.member", "@alice:e.org"));
        var topic = known.Find("$b");
        Start(known, Today);
        Append(known, State("$d", "m.room.member", "@alice:e.org"));

        Assert.Equal(topic, known.NewestState("m.room.topic", ""));
        Assert.Equal((Today, 0), known.NewestState("m.room.member", "@alice:e.org"));
        Assert.Null(known.NewestState("m.room.member", ""));
        Assert.Null(known.NewestState("m.room.name", ""));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Different_ids_of_equal_hash_are_told_apart(bool isReadFromRecord)
    {
        // All ids and all kinds have one of two hashes; the higher one wraps around.
        Func<string, ulong, ulong> hash = (id, _) => id.Length % 2 == 0 ? ulong.MaxValue : 7;
        var known = KnownEvents.Open(Folder, Yesterday, hash);
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
            KnownEvents.Discard(Folder, Yesterday);
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
            Assert.True(IsRemoved(known, "$a3"));
            Assert.False(IsRemoved(known, "$a1"));
        }
    }

    [Fact]
    public void An_unreadable_record_is_an_error()
    {
        // A link to itself: the tests may run as root, who may read everything else.
        File.CreateSymbolicLink(Record(Yesterday), Record(Yesterday));

        var error = Xunit.Record.Exception(() => Open(Today));

        Assert.True(error is IOException or UnauthorizedAccessException, $"{error}");
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
                largest = Math.Max(largest, (double)table.Size / i);
            }
        }

        Assert.InRange(largest, 16, 40);
        Assert.Equal(count, table.ToSortedArray().Length);
        Assert.Equal(5, table.Get(System.IO.Hashing.XxHash3.HashToUInt64(BitConverter.GetBytes(5))));
        Assert.Null(table.Get(42));
    }
}
