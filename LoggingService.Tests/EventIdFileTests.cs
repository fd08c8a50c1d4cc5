using System.Runtime.Versioning;
using LoggingService.RoomLogs;

namespace LoggingService.Tests;

/// <summary>The <c>.ids</c> files: used while they match the record, rebuilt from it otherwise.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class EventIdFileTests : KnownEventsTestBase
{
    [Fact]
    public void A_reopened_room_reads_the_day_s_ids_from_the_file_and_not_the_record()
    {
        WriteMany(Today, 1000);
        OpenAndSave(Today);

        // The record's new id is not in the file, which counts as long as the stamp is equal.
        Overwrite(Today, File.ReadAllText(Record(Today)).Replace("$m999", "$x999"));

        var known = Open(Today);
        Assert.Equal(999, Count(known, "$m", 999));
        Assert.False(known.Contains("$x999"));
        Assert.False(known.Contains("$m999"));
        Assert.True(known.Contains("$x999"));
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
                KnownEvents.Discard(Folder, Yesterday);
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

        var known = Open(Today);
        Assert.True(known.Contains(added));
        Assert.Equal(what != "replaced", known.Contains("$m999"));
        Assert.Equal(999, Count(known, "$m", 999));
        Assert.Equal(what == "unreadable", known.Size > 2000);
    }

    [Fact]
    public void A_flipped_byte_in_any_block_loses_no_id()
    {
        WriteMany(Yesterday, 1000);
        OpenAndSave(Today);
        var good = File.ReadAllBytes(Ids(Yesterday));
        Assert.True(good.Length >= 4 * 4096);
        for (var position = 100; position < good.Length; position += 4096)
        {
            var bad = good.ToArray();
            bad[position] ^= 0xFF;
            File.WriteAllBytes(Ids(Yesterday), bad);

            var known = Open(Today);

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
        var known = Open(Today);
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

        var known = Open(Today);

        Assert.True(known.Contains("$a"));
        Assert.True(IsRemoved(known, "$gone"));
        Assert.Null(known.Find("$a"));
        Assert.Null(known.NewestEdit("$a"));
        Assert.False(known.Contains("$b"));
    }

    [Fact]
    public void A_text_that_changed_since_the_ids_were_written_is_noticed()
    {
        var known = Open(Today);
        Assert.True(known.TextMatches);
        Append(known, Event("$a"));
        File.WriteAllText(Text(Today), "a line\n");
        var (record, text) = Stats(Today);
        known.Save(record, text);

        known = Open(Today);
        Assert.True(known.TextMatches);

        File.AppendAllText(Text(Today), "another\n");
        known = Open(Today);
        Assert.False(known.TextMatches);
        Assert.True(known.Contains("$a"));

        KnownEvents.Discard(Folder, Today);
        known = Open(Today);
        Assert.False(known.TextMatches);
    }

    [Fact]
    public void False_positives_of_the_filter_are_no_hits()
    {
        WriteMany(Yesterday, 2000);
        var known = Open(Today);
        var entries = EventIdFile.Read(Ids(Yesterday), RecordStamp.Read(Record(Yesterday)), file => file.ReadEntries());
        var filter = new IdFilter(entries.Length);
        filter.Add(entries);
        var falsePositives = Enumerable.Range(0, 20_000).Count(i => filter.MayContain((ulong)i * 0x9E3779B97F4A7C15));

        Assert.InRange(falsePositives, 1, 200);
        Assert.Equal(0, Count(known, "$n", 20_000));
        Assert.Equal(2000, Count(known, "$m", 2000));
    }

    [Fact]
    public void Without_its_filter_a_room_knows_its_ids_all_the_same()
    {
        WriteMany(Yesterday, 1000);
        var known = Open(Today);
        Assert.InRange(known.FilterSize, 1, 4000);

        known.DropFilter();

        Assert.Equal(0, known.FilterSize);
        Assert.Equal(1000, Count(known, "$m", 1000));
        Assert.Equal(0, Count(known, "$n", 1000));
    }

    [Fact]
    public void Ids_of_another_folder_are_known_and_built_again_where_the_record_is_there()
    {
        var older = Today.AddDays(-2);
        WriteMany(Yesterday, 100);
        WriteMany(older, 100, "$older");
        OpenAndSave(Yesterday);
        KnownEvents.Discard(Folder, Yesterday);
        var copied = Folder + "-copy";
        Directory.CreateDirectory(copied);
        try
        {
            File.Copy(Record(Yesterday), Path.Combine(copied, Path.GetFileName(Record(Yesterday))));
            KnownEvents.Open(copied, Today);

            // Ids with another seed than that of the older day.
            File.Copy(Path.Combine(copied, Path.GetFileName(Ids(Yesterday))), Ids(Yesterday));
            File.Delete(Record(older));
        }
        finally
        {
            Directory.Delete(copied, recursive: true);
        }

        var known = Open(Today);

        Assert.Equal(100, Count(known, "$m", 100));
        Assert.Equal(100, Count(known, "$older", 100));
        Assert.Equal(0, Count(known, "$n", 100));
    }

    [Fact]
    public void Ids_that_cannot_be_written_stay_in_memory()
    {
        var known = Open(Yesterday);
        Append(known, Event("$a"));
        Directory.CreateDirectory(Ids(Yesterday) + "/is a folder");
        Start(known, Today);

        Assert.True(known.Contains("$a"));
        Assert.Equal((Yesterday, 0), known.Find("$a"));
    }
}
