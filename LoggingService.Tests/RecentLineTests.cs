using System.Text;
using LoggingService.History;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>A comparison of a room with very many lines takes no more memory than one of a small room.</summary>
public class RecentLineTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private readonly string _room = Some.RoomId();

    [Fact]
    public async Task The_newest_lines_are_in_memory_and_the_earlier_ones_are_found_in_the_files()
    {
        const int Lines = RecentLines.MaxLines + 2_000;
        var history = new StubHistory(_room);
        var time = new FakeTimeProvider(Noon);
        using var folder = TempFolder.ForCaller();
        var record = new StringBuilder();
        var text = new StringBuilder();
        for (var i = 0; i < Lines; i++)
        {
            var at = Noon.AddMilliseconds(i).ToUnixTimeMilliseconds();
            var json = history.Add(Some.Message(_room, $"{i}", at: at));
            if (i == 1_000)
            {
                // This one was lost.
                continue;
            }

            record.Append($"{json[..^1]},\"received_ts\":{at}}}\n");
            text.Append($"2026-11-23 12:00:00 +00:00 <@alice:localhost> {i}\n");
        }

        Directory.CreateDirectory(folder["logs", _room]);
        Directory.CreateDirectory(folder["logs", ".history"]);
        await File.WriteAllTextAsync(folder["logs", _room, "20261123.jsonl"], $"{record}", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder["logs", _room, "20261123.log"], $"{text}", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            folder["logs", ".history", "checked"], $"{Noon.ToUnixTimeMilliseconds()}", TestContext.Current.CancellationToken);
        Assert.Equal(RecentLines.MaxLines, RecentLines.Read(folder["logs", _room], Noon.ToUnixTimeMilliseconds()).Count);

        time.Advance(TimeSpan.FromHours(1));
        using var service = new ServiceUnderTest(time, folder, homeserver: new StubHomeserver().WithoutAliases().History(history));
        _ = service.Client;
        await Wait.UntilAsync(
            () => File.ReadLines(folder["logs", _room, "20261123.log"]).Last().EndsWith("> 1000", StringComparison.Ordinal),
            "the lost event is fetched", () => time.Advance(TimeSpan.FromSeconds(1)));
        var lines = await File.ReadAllLinesAsync(folder["logs", _room, "20261123.log"], TestContext.Current.CancellationToken);
        Assert.Equal(Lines + 1, lines.Length);
        Assert.EndsWith("*** 1 event from 12:00:01 was fetched later", lines[^2]);
    }

    [Fact]
    public void A_search_backwards_through_a_large_record_reads_a_megabyte_at_once()
    {
        const int LineLength = 64;
        const long Length = 32L * 1024 * 1024;
        var line = Encoding.ASCII.GetBytes(new string('x', LineLength - 1) + "\n");
        var largest = 0;
        var total = 0L;
        Assert.Null(RecordReader.Newest(ReadAt, Length, "needle"u8.ToArray(), static _ => true, lookBack: long.MaxValue));
        Assert.InRange(largest, 1, 1024 * 1024);
        Assert.True(total >= Length);

        int ReadAt(long offset, Span<byte> output)
        {
            largest = Math.Max(largest, output.Length);
            total += output.Length;
            for (var i = 0; i < output.Length; i++)
            {
                output[i] = line[(int)((offset + i) % LineLength)];
            }

            return output.Length;
        }
    }
}
