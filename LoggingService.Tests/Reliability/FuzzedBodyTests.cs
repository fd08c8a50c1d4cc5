using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoggingService.Http;
using LoggingService.Tests.Support;
using LoggingService.Transactions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests.Reliability;

/// <summary>Bodies that are damaged in any way, between good events: never a 5xx, no good event lost, and a text that stays one line an event.</summary>
[Collection(nameof(NonParallelTests))]
public partial class FuzzedBodyTests
{
    // A room of a namespace of rooms: what is pushed of it is logged, whatever it says of our user.
    private static readonly string Registration = ServiceUnderTest.RegistrationText(rooms: """[{"exclusive": false, "regex": "!good.*"}]""");
    private readonly int _perRound = Trial.Scale(1_500, 10_000);

    [Fact]
    public async Task Damaged_bodies_cost_no_good_event_and_no_room_a_line()
    {
        var rounds = Trial.Scale(2, 90);
        var (events, lost, twice) = (0L, 0L, 0L);
        var memory = new List<long>();
        for (var round = 0; round < rounds; round++)
        {
            using (var folder = TempFolder.ForCaller())
            using (await SmallDisk.MountAsync(folder.Path, "4g"))
            {
                List<MutatedTraffic.Good> acknowledged;
                using (var service = new ServiceUnderTest(folder: folder, registration: Registration))
                {
                    _ = service.Client;
                    var receiver = service.Services.GetRequiredService<TransactionEndpoint>();
                    var pushers = Enumerable.Range(0, 2).Select(i => Task.Run(() => PushAllAsync(new MutatedTraffic((2 * round) + i), _perRound / 2, (id, body) => ReceiveAsync(receiver, id, body))));
                    acknowledged = [.. (await Task.WhenAll(pushers)).SelectMany(good => good)];
                    Assert.DoesNotContain(service.WarningsAndErrors, line => line.Contains("a bug in LoggingService", StringComparison.Ordinal));
                }

                Count(folder["logs"], acknowledged, ref lost, ref twice);
                events += acknowledged.Count;
            }

            memory.Add(GC.GetTotalMemory(forceFullCollection: true));
        }

        Assert.InRange(memory[^1] - memory[0], long.MinValue, 32 << 20);
        Trial.Report("damaged bodies", $"recorded events with bytes flipped, cut and doubled, values, keys and ids replaced, between good ones; seeds 0 to {(2 * rounds) - 1}; below HTTP, on a file system in memory", (long)rounds * _perRound, events, lost, twice);
    }

    [Fact]
    public async Task Damaged_bodies_over_HTTP_leave_the_service_as_it_was()
    {
        var bodies = Trial.Scale(1_000, 100_000);
        using var folder = TempFolder.ForCaller();
        using var disk = await SmallDisk.MountAsync(folder.Path, "6g");
        using var homeserver = new FakeHomeserver();
        File.WriteAllText(folder["registration.yaml"], Registration);
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        await using var service = ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url);
        await service.WaitForLineAsync("homeserver");

        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
        var acknowledged = new List<MutatedTraffic.Good>();
        var (memory, files) = (new List<long>(), new List<int>());
        for (var round = 0; round < 10; round++)
        {
            acknowledged.AddRange(await PushAllAsync(new MutatedTraffic(1_000_000 + round), bodies / 10, (id, body) => PutAsync(http, url, id, body)));
            memory.Add(1024 * long.Parse(ResidentMemory().Match(File.ReadAllText($"/proc/{service.Id}/status")).Groups[1].Value, CultureInfo.InvariantCulture));
            files.Add(Directory.GetFileSystemEntries($"/proc/{service.Id}/fd").Length);
        }

        Assert.DoesNotContain(service.Output, line => line.Contains("a bug in LoggingService", StringComparison.Ordinal));
        Assert.Equal(0, await service.StopAsync());
        var (lost, twice) = (0L, 0L);
        Count(folder["logs"], acknowledged, ref lost, ref twice);
        Trial.Report("damaged bodies over HTTP", string.Create(CultureInfo.InvariantCulture, $"as above, to a process; its memory {memory[2] >> 20} MiB after three tenths, {memory[^1] >> 20} MiB at the end; {files.Max():N0} open files at most"), bodies, acknowledged.Count, lost, twice);
        Assert.InRange(memory[^1] - memory[2], long.MinValue, 150 << 20);
        Assert.InRange(files.Max(), 0, 2_600);
    }

    /// <summary>Pushes bodies, as a homeserver: what is refused is sent again now and then, and what was acknowledged too.</summary>
    /// <returns>The good events that were acknowledged.</returns>
    private static async Task<List<MutatedTraffic.Good>> PushAllAsync(MutatedTraffic traffic, int count, Func<string, byte[], Task<int>> push)
    {
        var acknowledged = new List<MutatedTraffic.Good>();
        for (var i = 0; i < count; i++)
        {
            var (bytes, good) = traffic.Next();
            var (id, events) = (Guid.NewGuid().ToString("N"), Events(bytes));
            if (events is null)
            {
                Assert.Equal(400, await push(id, bytes));
                if (i % 10 == 0)
                {
                    // The third is taken, unless others that are refused beside made the service forget how often this one was.
                    Assert.Equal(400, await push(id, bytes));
                    for (var attempt = 3; await push(id, bytes) != 200; attempt++)
                        Assert.InRange(attempt, 3, 6);
                }

                continue;
            }

            Assert.Equal(200, await push(id, bytes));
            if (i % 10 == 0)
                Assert.Equal(200, await push(id, bytes));
            acknowledged.AddRange(good.Where(e => events.Contains(Encoding.UTF8.GetString(e.Json))));
        }

        return acknowledged;
    }

    /// <summary>The events of a body as another reader of JSON finds them; <c>null</c> where it is no JSON.</summary>
    private static HashSet<string>? Events(byte[] body)
    {
        try
        {
            using var json = System.Text.Unicode.Utf8.IsValid(body) ? JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = int.MaxValue }) : null;
            if (json is null)
                return null;
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("events"u8, out var events) && events.ValueKind == JsonValueKind.Array
                ? [.. events.EnumerateArray().Select(e => e.GetRawText())]
                : [];
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            // A key with half of a surrogate pair, which this reader can't pass: nothing is known of the events.
            return [];
        }
    }

    private static async Task<int> ReceiveAsync(TransactionEndpoint receiver, string id, byte[] body)
    {
        var http = new DefaultHttpContext();
        http.Request.Body = new MemoryStream(body);
        http.Features.Set<IHttpMaxRequestBodySizeFeature>(new NoLimit());
        return await receiver.ReceiveAsync(http.Request, id) is MatrixError refused ? refused.Status : 200;
    }

    /// <summary>The web server's own limit, which there is none of without a web server.</summary>
    private sealed class NoLimit : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly => false;

        public long? MaxRequestBodySize { get; set; }
    }

    private static async Task<int> PutAsync(HttpClient http, string url, string id, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        using var answer = await http.PutAsync($"{url}/_matrix/app/v1/transactions/{id}", content, TestContext.Current.CancellationToken);
        return (int)answer.StatusCode;
    }

    /// <summary>Each good event's line is in its room's record once, byte for byte, and every record has its text, line for line.</summary>
    private static void Count(string logs, List<MutatedTraffic.Good> acknowledged, ref long lost, ref long twice)
    {
        var expected = acknowledged.ToDictionary(e => $"{e.Room} {Encoding.UTF8.GetString(e.Json.AsSpan(0, e.Json.Length - 1))}", _ => 0);
        foreach (var record in Directory.GetDirectories(logs, "!*").SelectMany(folder => Directory.GetFiles(folder, "*.jsonl")))
        {
            var room = Path.GetFileName(Path.GetDirectoryName(record)!);
            var text = File.ReadAllText(Path.ChangeExtension(record, ".log"));
            Assert.DoesNotMatch(Forbidden(), text);
            var lines = text.Split('\n')[..^1];
            var events = File.ReadAllText(record).Split('\n')[..^1];
            Assert.Equal(events.Length, lines.Length);
            for (var i = 0; i < lines.Length; i++)
            {
                Assert.Matches(LogFormat.Line, lines[i]);
                var key = $"{room} {events[i][..events[i].LastIndexOf(",\"received_ts\":", StringComparison.Ordinal)]}";
                if (expected.TryGetValue(key, out var found))
                {
                    expected[key] = found + 1;
                    Assert.Contains(JsonElement.Parse(events[i]).GetProperty("sender").GetString()!, lines[i], StringComparison.Ordinal);
                }
            }
        }

        lost += expected.Values.Count(found => found == 0);
        twice += expected.Values.Count(found => found > 1);
    }

    [GeneratedRegex(@"[\x00-\x09\x0B-\x1F\x7F-\x9F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF\uFFFE\uFFFF]")]
    private static partial Regex Forbidden();

    [GeneratedRegex(@"VmRSS:\s+(\d+) kB")]
    private static partial Regex ResidentMemory();
}
