using System.Text;
using LoggingService.Tests.Support;
using LoggingService.Visibility;

namespace LoggingService.Tests.Pages;

public sealed class RecordIdsTests : IDisposable
{
    private static readonly DateOnly Day = new(2026, 11, 23);

    private readonly TempFolder _folder = TempFolder.ForCaller();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(6, true)]
    [InlineData(5, false)]
    public void Ids_beyond_the_limit_are_those_of_the_records_that_were_used_least_recently(int limit, bool isKept)
    {
        var (first, second) = (Write("first"), Write("second"));
        var ids = new RecordIds(limit);
        Assert.True(MayContain(first, "$first1"));
        Assert.True(MayContain(second, "$second3"));
        Assert.False(MayContain(second, "$first1"));

        // In the place of the others: who reads the record again finds them.
        File.WriteAllText(second, File.ReadAllText(second).Replace("$second", "$others", StringComparison.Ordinal));
        File.WriteAllText(first, File.ReadAllText(first).Replace("$first", "$other", StringComparison.Ordinal));
        Assert.False(MayContain(second, "$others3"));
        Assert.Equal(!isKept, MayContain(first, "$other1"));

        bool MayContain(string record, string id) => ids.MayContain(record, DayFactsReader.Read(record, Day, null, [])!, id);
    }

    [Fact]
    public void A_record_that_was_cut_and_written_again_is_read_again()
    {
        var record = Write("first");
        var ids = new RecordIds();
        Assert.True(ids.MayContain(record, Read(), "$first3"));
        using (var file = File.OpenWrite(record))
        {
            file.SetLength(0);
        }

        File.AppendAllText(record, "{\"event_id\":\t\"$other\"}\n");
        File.SetLastWriteTimeUtc(record, DateTime.UtcNow.AddSeconds(1));
        Assert.True(ids.MayContain(record, Read(), "$other"));
        Assert.False(ids.MayContain(record, Read(), "$first3"));

        DayFacts Read() => DayFactsReader.Read(record, Day, null, [])!;
    }

    private string Write(string name)
    {
        var path = _folder[$"{name}.jsonl"];
        var lines = Enumerable.Range(1, 3).Select(i => $"{{\"content\":{{}},\"event_id\":\"${name}{i}\",\"received_ts\":1}}\n");
        File.WriteAllText(path, string.Concat(lines), new UTF8Encoding(false));
        return path;
    }
}
