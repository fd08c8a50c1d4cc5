using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>A busy day in more rooms than may be open, as fast as the service takes it: a tenth as good at its end as at its beginning.</summary>
public class SoakTests
{
    private const int EventsOfABody = 100, EventsOfAVisit = 10, NumberLength = 8;
    private const int MostOpenRooms = 1000, MostOfAnId = 110, Slack = 150 << 20;
    private const string Number = "00000000";

    // More than the service keeps open, so that every visit finds the room closed: one after the other, all of them, again and again.
    private readonly int _rooms = Trial.Scale(1_500, 10_000);
    private readonly int _transactions = Trial.Scale(2_000, 100_000);

    [Fact]
    public async Task A_day_of_many_events_in_more_rooms_than_may_be_open_is_logged_once_in_memory_and_files_that_are_bounded()
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
        var took = new double[_transactions];
        var (memory, files) = (new List<long>(), new List<int>());
        for (var i = 0; i < _transactions; i++)
        {
            took[i] = await PushAsync(http, url, body.Of(i));

            // A homeserver that lost the answer, or its mind.
            if (i % 20 == 19)
                await PushAsync(http, url, body.Of(i - (i * 7L % Math.Min(i, 3000))));
            if (i % (_transactions / 100) == 0)
            {
                memory.Add(Memory(service.Id));
                files.Add(Directory.GetFileSystemEntries($"/proc/{service.Id}/fd").Length);
            }
        }

        memory.Add(Memory(service.Id));
        Assert.Equal(0, await service.StopAsync());
        var (lost, twice) = Count(folder["logs"]);

        var events = (long)_transactions * EventsOfABody;
        var tenth = _transactions / 10;
        Trial.Report(
            $"load: {events:N0} events in {_rooms:N0} rooms",
            string.Create(CultureInfo.InvariantCulture, $"bodies of 100 events in 10 rooms, all rooms in turn, each 20th body twice; the service's memory {memory[10] >> 20} MiB after a tenth, {memory[^1] >> 20} MiB at the end; {files.Max():N0} open files at most; a body {Median(took[..tenth]):F1} ms in the first tenth, {Median(took[^tenth..]):F1} ms in the last (medians)"),
            _transactions,
            events,
            lost,
            twice);

        // After a tenth every room has been there: what grows from then on are the ids, 36 to 72 bytes each, and what they left for the collector when they grew.
        Assert.InRange(memory[^1] - memory[10], long.MinValue, (MostOfAnId * events) + Slack);
        Assert.InRange(files.Max(), 0, files[0] + (2 * MostOpenRooms) + 200);
    }

    private static async Task<double> PushAsync(HttpClient http, string url, byte[] body)
    {
        var watch = Stopwatch.StartNew();
        using var content = new ByteArrayContent(body);
        using var answer = await http.PutAsync($"{url}/_matrix/app/v1/transactions/1", content, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode);
        return watch.Elapsed.TotalMilliseconds;
    }

    /// <summary>The service's resident memory in bytes.</summary>
    private static long Memory(int process) =>
        1024 * long.Parse(Regex.Match(File.ReadAllText($"/proc/{process}/status"), @"VmRSS:\s+(\d+) kB").Groups[1].Value, CultureInfo.InvariantCulture);

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

    /// <summary>Each room's record has its events in their order, and nothing else; each text as many lines, of the same events.</summary>
    private (long Lost, long Twice) Count(string logs)
    {
        var (lost, twice) = (0L, 0L);
        var visits = (long)_transactions * EventsOfABody / EventsOfAVisit;
        for (var room = 0; room < _rooms; room++)
        {
            var expected = new HashSet<int>();
            for (long visit = room; visit < visits; visit += _rooms)
                expected.UnionWith(Enumerable.Range((int)visit * EventsOfAVisit, EventsOfAVisit));
            var record = Numbers(Path.Combine(logs, Body.RoomId(room)), "*.jsonl", "message ");
            twice += record.Count(number => !expected.Remove(number));
            lost += expected.Count;
            Assert.Equal(record, Numbers(Path.Combine(logs, Body.RoomId(room)), "2*.log", "> message "));
        }

        return (lost, twice);
    }

    private static List<int> Numbers(string folder, string pattern, string before)
    {
        var numbers = new List<int>();
        foreach (var file in Directory.GetFiles(folder, pattern).Order(StringComparer.Ordinal))
        {
            var needle = Encoding.ASCII.GetBytes(before);
            foreach (var line in Lines(File.ReadAllBytes(file)))
                numbers.Add(int.Parse(line.Span.Slice(line.Span.IndexOf(needle) + needle.Length, NumberLength), CultureInfo.InvariantCulture));
        }

        return numbers;
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Lines(byte[] bytes)
    {
        for (int start = 0, end; (end = Array.IndexOf(bytes, (byte)'\n', start)) >= 0; start = end + 1)
            yield return bytes.AsMemory(start, end - start);
    }

    /// <summary>A transaction's bytes, made once; only numbers change.</summary>
    private sealed class Body(int rooms)
    {
        private static readonly string Template =
            $$"""{"content":{"body":"message {{Number}}","msgtype":"m.text"},"event_id":"$e{{Number}}","origin_server_ts":{{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}},"room_id":"!r{{Number}}:localhost","sender":"@alice:localhost","type":"m.room.message"}""";

        private readonly byte[] _bytes = Encoding.ASCII.GetBytes($$"""{"events":[{{string.Join(',', Enumerable.Repeat(Template, EventsOfABody))}}]}""");
        private readonly int[] _numbers = [.. Regex.Matches(Template, Number).Select(match => match.Index)];

        public static string RoomId(int room) => $"!r{room:D8}:localhost";

        public byte[] Of(long transaction)
        {
            for (var i = 0; i < EventsOfABody; i++)
            {
                var number = (int)(transaction * EventsOfABody) + i;
                var start = "{\"events\":[".Length + (i * (Template.Length + 1));
                Write(number, start + _numbers[0]);
                Write(number, start + _numbers[1]);
                Write(number / EventsOfAVisit % rooms, start + _numbers[2]);
            }

            return _bytes;
        }

        private void Write(int number, int at)
        {
            for (var i = NumberLength - 1; i >= 0; i--, number /= 10)
                _bytes[at + i] = (byte)('0' + (number % 10));
        }
    }
}
