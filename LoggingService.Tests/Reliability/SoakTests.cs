using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>A busy day in more rooms than the limit of open ones, at full speed: the last tenth is as fast as the first.</summary>
public class SoakTests
{
    private const int EventsPerBody = 100;
    private const int EventsPerVisit = 10;
    private const int NumberLength = 8;
    private const int MaxOpenRooms = 1000;
    private const int MaxBytesPerId = 110;
    private const int Slack = 150 << 20;
    private const string Number = "00000000";

    // More rooms than the service keeps open, visited in turn, so that every visit reopens a room.
    private readonly int _rooms = Trial.Scale(1_500, 10_000);
    private readonly int _transactions = Trial.Scale(2_000, 100_000);

    [Fact]
    public async Task A_day_of_many_events_in_many_rooms_is_logged_once_with_bounded_memory_and_open_files()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        File.WriteAllText(folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        await using var service = ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url);
        await service.WaitForLineAsync("homeserver");

        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
        var body = new Body(_rooms);
        var latencies = new double[_transactions];
        var memory = new List<long>();
        var files = new List<int>();
        for (var i = 0; i < _transactions; i++)
        {
            latencies[i] = await PushAsync(http, url, body.Fill(i));

            // A resend of an earlier body.
            if (i % 20 == 19)
                await PushAsync(http, url, body.Fill(i - (i * 7L % Math.Min(i, 3000))));
            if (i % (_transactions / 100) == 0)
            {
                memory.Add(ResidentMemory(service.Id));
                files.Add(Directory.GetFileSystemEntries($"/proc/{service.Id}/fd").Length);
            }
        }

        memory.Add(ResidentMemory(service.Id));

        // A stop leaves what it has no time to write to the rooms in the journal, for the next start.
        var logs = folder["logs"];
        await Wait.UntilAsync(
            () => Enumerable.Range(0, _rooms).All(room => HasLast(logs, room)), "the backlog is written", TimeSpan.FromMinutes(5));
        Assert.Equal(0, await service.StopAsync());
        var (lost, duplicated) = Check(folder["logs"]);

        var events = (long)_transactions * EventsPerBody;
        var tenth = _transactions / 10;
        var method = "bodies of 100 events in 10 rooms, all rooms in turn, every 20th body sent twice; " + string.Create(
            CultureInfo.InvariantCulture,
            $"memory {memory[10] >> 20} MiB after a tenth, {memory[^1] >> 20} MiB at the end; {files.Max():N0} open files at most; a body "
            + $"{Median(latencies[..tenth]):F1} ms in the first tenth, {Median(latencies[^tenth..]):F1} ms in the last (medians)");
        Trial.Report($"load: {events:N0} events in {_rooms:N0} rooms", method, _transactions, events, lost, duplicated);

        // After a tenth every room has been visited: from then on only the ids grow, 36 to 72 bytes each, and garbage of their
        // resized tables.
        Assert.InRange(memory[^1] - memory[10], long.MinValue, (MaxBytesPerId * events) + Slack);
        Assert.InRange(files.Max(), 0, files[0] + (2 * MaxOpenRooms) + 200);
    }

    private static async Task<double> PushAsync(HttpClient http, string url, byte[] body)
    {
        var watch = Stopwatch.StartNew();
        using var content = new ByteArrayContent(body);
        using var response = await http.PutAsync($"{url}/_matrix/app/v1/transactions/1", content, TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode);
        return watch.Elapsed.TotalMilliseconds;
    }

    private static long ResidentMemory(int processId)
    {
        var status = File.ReadAllText($"/proc/{processId}/status");
        return 1024 * long.Parse(Regex.Match(status, @"VmRSS:\s+(\d+) kB").Groups[1].Value, CultureInfo.InvariantCulture);
    }

    /// <summary>Whether a room's record has the last event that was sent.</summary>
    private bool HasLast(string logs, int room)
    {
        var visits = (long)_transactions * EventsPerBody / EventsPerVisit;
        var last = ((visits - 1 - room) / _rooms * _rooms) + room;
        var number = (last * EventsPerVisit) + EventsPerVisit - 1;
        var folder = Path.Combine(logs, Body.RoomId(room));
        var record = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.jsonl").Order(StringComparer.Ordinal).LastOrDefault() : null;
        return record is not null && End(record).Contains($"message {number:D8}", StringComparison.Ordinal);
    }

    /// <summary>The last bytes of a file: all records together are gigabytes.</summary>
    private static string End(string path)
    {
        using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        var buffer = new byte[4096];
        var length = RandomAccess.Read(file, buffer, Math.Max(0, RandomAccess.GetLength(file) - buffer.Length));
        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    /// <summary>Each record contains its room's events in order and nothing else; each text has the same events.</summary>
    private (long Lost, long Duplicated) Check(string logs)
    {
        var lost = 0L;
        var duplicated = 0L;
        var visits = (long)_transactions * EventsPerBody / EventsPerVisit;
        for (var room = 0; room < _rooms; room++)
        {
            var expected = new HashSet<int>();
            for (long visit = room; visit < visits; visit += _rooms)
                expected.UnionWith(Enumerable.Range((int)visit * EventsPerVisit, EventsPerVisit));
            var record = ReadNumbers(Path.Combine(logs, Body.RoomId(room)), "*.jsonl", "message ");
            duplicated += record.Count(number => !expected.Remove(number));
            lost += expected.Count;
            Assert.Equal(record, ReadNumbers(Path.Combine(logs, Body.RoomId(room)), "2*.log", "> message "));
        }

        return (lost, duplicated);
    }

    private static List<int> ReadNumbers(string folder, string pattern, string prefix)
    {
        var numbers = new List<int>();
        foreach (var file in Directory.GetFiles(folder, pattern).Order(StringComparer.Ordinal))
        {
            var prefixBytes = Encoding.ASCII.GetBytes(prefix);
            foreach (var line in SplitLines(File.ReadAllBytes(file)))
            {
                var number = line.Span.Slice(line.Span.IndexOf(prefixBytes) + prefixBytes.Length, NumberLength);
                numbers.Add(int.Parse(number, CultureInfo.InvariantCulture));
            }
        }

        return numbers;
    }

    private static IEnumerable<ReadOnlyMemory<byte>> SplitLines(byte[] bytes)
    {
        var start = 0;
        var end = Array.IndexOf(bytes, (byte)'\n');
        while (end >= 0)
        {
            yield return bytes.AsMemory(start, end - start);
            start = end + 1;
            end = Array.IndexOf(bytes, (byte)'\n', start);
        }
    }

    /// <summary>A transaction's bytes, built once; only the numbers are overwritten.</summary>
    private sealed class Body(int rooms)
    {
        private static readonly string Template =
            $$"""{"content":{"body":"message {{Number}}","msgtype":"m.text"},"event_id":"$e{{Number}}","origin_server_ts":"""
            + $$"""{{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}},"room_id":"!r{{Number}}:localhost","sender":"@alice:localhost","""
            + """
            "type":"m.room.message"}
            """;

        private readonly byte[] _bytes =
            Encoding.ASCII.GetBytes($$"""{"events":[{{string.Join(',', Enumerable.Repeat(Template, EventsPerBody))}}]}""");

        private readonly int[] _numbers = [.. Regex.Matches(Template, Number).Select(match => match.Index)];

        public static string RoomId(int room) => $"!r{room:D8}:localhost";

        public byte[] Fill(long transaction)
        {
            for (var i = 0; i < EventsPerBody; i++)
            {
                var number = (int)(transaction * EventsPerBody) + i;
                var start = "{\"events\":[".Length + (i * (Template.Length + 1));
                Write(number, start + _numbers[0]);
                Write(number, start + _numbers[1]);
                Write(number / EventsPerVisit % rooms, start + _numbers[2]);
            }

            return _bytes;
        }

        private void Write(int number, int offset)
        {
            for (var i = NumberLength - 1; i >= 0; i--)
            {
                _bytes[offset + i] = (byte)('0' + (number % 10));
                number /= 10;
            }
        }
    }
}
