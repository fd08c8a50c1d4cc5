using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using LoggingService.Http;
using LoggingService.Tests.Support;
using LoggingService.Transactions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace LoggingService.Tests.Reliability;

/// <summary>Damaged bodies, with valid events between the damage: never a 5xx, no valid event lost, one line of text per event.</summary>
[Collection(nameof(NonParallelTests))]
public partial class FuzzedBodyTests
{
    // Rooms of a room namespace are logged whatever their events say about the service's user.
    private static readonly string Registration =
        ServiceUnderTest.RegistrationText(rooms: """[{"exclusive": false, "regex": "!good.*"}]""");

    private readonly int _perRound = Trial.Scale(1_500, 10_000);

    [Fact]
    public async Task Damaged_bodies_lose_no_valid_event_and_no_line_of_a_room()
    {
        var rounds = Trial.Scale(2, 90);
        var events = 0L;
        var result = new Result();
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
                    var endpoint = service.Services.GetRequiredService<TransactionEndpoint>();
                    var first = 2 * round;
                    var pushers = Enumerable.Range(first, 2).Select(seed => Task.Run(() =>
                        PushAllAsync(new MutatedTraffic(seed), _perRound / 2, (id, body) => ReceiveAsync(endpoint, id, body))));
                    acknowledged = [.. (await Task.WhenAll(pushers)).SelectMany(good => good)];
                    Assert.DoesNotContain(service.WarningsAndErrors, line => line.Contains("a bug in LoggingService"));
                }

                result += Check(folder["logs"], acknowledged);
                events += acknowledged.Count;
            }

            memory.Add(GC.GetTotalMemory(forceFullCollection: true));
        }

        Assert.InRange(memory[^1] - memory[0], long.MinValue, 32 << 20);
        const string method = "recorded events with bytes flipped, cut and doubled, values, keys and ids replaced, between valid events";
        Trial.Report(
            "damaged bodies",
            $"{method}; seeds 0 to {(2 * rounds) - 1}; below HTTP, on a file system in memory",
            (long)rounds * _perRound, events, result.Lost, result.Duplicated);
    }

    [Fact]
    public async Task Damaged_bodies_over_HTTP_leave_the_service_unharmed()
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
        var memory = new List<long>();
        var files = new List<int>();
        for (var round = 0; round < 10; round++)
        {
            var traffic = new MutatedTraffic(1_000_000 + round);
            acknowledged.AddRange(await PushAllAsync(traffic, bodies / 10, (id, body) => PutAsync(http, url, id, body)));
            memory.Add(ResidentMemory(service.Id));
            files.Add(Directory.GetFileSystemEntries($"/proc/{service.Id}/fd").Length);
        }

        Assert.DoesNotContain(service.Output, line => line.Contains("a bug in LoggingService"));
        Assert.Equal(0, await service.StopAsync());
        var result = Check(folder["logs"], acknowledged);
        var method = string.Create(
            CultureInfo.InvariantCulture,
            $"as above, to a process; memory {memory[2] >> 20} MiB after three tenths, {memory[^1] >> 20} MiB at the end; "
                + $"{files.Max():N0} open files at most");
        Trial.Report("damaged bodies over HTTP", method, bodies, acknowledged.Count, result.Lost, result.Duplicated);
        Assert.InRange(memory[^1] - memory[2], long.MinValue, 150 << 20);
        Assert.InRange(files.Max(), 0, 2_600);
    }

    /// <summary>Pushes bodies and returns the acknowledged valid events. Some bodies are sent again, refused ones included.</summary>
    private static async Task<List<MutatedTraffic.Good>> PushAllAsync(
        MutatedTraffic traffic, int count, Func<string, byte[], Task<int>> push)
    {
        var acknowledged = new List<MutatedTraffic.Good>();
        for (var i = 0; i < count; i++)
        {
            var (bytes, good) = traffic.Next();
            var id = Guid.NewGuid().ToString("N");
            var events = ReadEvents(bytes);
            if (events is null)
            {
                Assert.Equal(400, await push(id, bytes));
                if (i % 10 == 0)
                {
                    // The third attempt is accepted, unless other refused transactions evicted the count of this one.
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

    /// <summary>The events of a body as an independent JSON reader finds them; <c>null</c> if it isn't JSON.</summary>
    private static HashSet<string>? ReadEvents(byte[] body)
    {
        if (!Utf8.IsValid(body))
            return null;

        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = int.MaxValue });
            var root = json.RootElement;
            var hasEvents = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("events"u8, out _);
            var events = hasEvents ? root.GetProperty("events"u8) : default;
            return events.ValueKind == JsonValueKind.Array ? [.. events.EnumerateArray().Select(e => e.GetRawText())] : [];
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            // This reader fails at a key with an unpaired surrogate: the events are unknown.
            return [];
        }
    }

    private static async Task<int> ReceiveAsync(TransactionEndpoint endpoint, string id, byte[] body)
    {
        var http = new DefaultHttpContext();
        http.Request.Body = new MemoryStream(body);
        http.Features.Set<IHttpMaxRequestBodySizeFeature>(new NoLimit());
        return await endpoint.ReceiveAsync(http.Request, id) is MatrixError refused ? refused.Status : 200;
    }

    /// <summary>Stands in for the feature of the web server, which isn't used here.</summary>
    private sealed class NoLimit : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly => false;

        public long? MaxRequestBodySize { get; set; }
    }

    private static async Task<int> PutAsync(HttpClient http, string url, string id, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        var target = $"{url}/_matrix/app/v1/transactions/{id}";
        using var response = await http.PutAsync(target, content, TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }

    private readonly record struct Result(long Lost, long Duplicated)
    {
        public static Result operator +(Result a, Result b) => new(a.Lost + b.Lost, a.Duplicated + b.Duplicated);
    }

    /// <summary>Each valid event is in its room's record once, byte for byte, and texts match their records line for line.</summary>
    private static Result Check(string logs, List<MutatedTraffic.Good> acknowledged)
    {
        var counts = acknowledged.ToDictionary(e => $"{e.Room} {Encoding.UTF8.GetString(e.Json.AsSpan(0, e.Json.Length - 1))}", _ => 0);
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
                var json = events[i][..events[i].LastIndexOf(",\"received_ts\":", StringComparison.Ordinal)];
                var key = $"{room} {json}";
                if (counts.TryGetValue(key, out var count))
                {
                    counts[key] = count + 1;
                    Assert.Contains(JsonElement.Parse(events[i]).GetProperty("sender").GetString()!, lines[i], StringComparison.Ordinal);
                }
            }
        }

        return new(counts.Values.Count(count => count == 0), counts.Values.Count(count => count > 1));
    }

    private static long ResidentMemory(int processId)
    {
        var status = File.ReadAllText($"/proc/{processId}/status");
        return 1024 * long.Parse(ResidentMemory().Match(status).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"[\x00-\x09\x0B-\x1F\x7F-\x9F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF\uFFFE\uFFFF]")]
    private static partial Regex Forbidden();

    [GeneratedRegex(@"VmRSS:\s+(\d+) kB")]
    private static partial Regex ResidentMemory();
}
