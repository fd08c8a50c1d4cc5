using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using LoggingService.Transactions;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// A power cut: what was not synced is gone, or there in part. strace records what a service really does to its disk and
/// when it answers; the folder is rebuilt as a cut after each of those calls could leave it, and the service starts on it.
/// </summary>
public sealed partial class PowerCutTests : IDisposable
{
    private const string Traced =
        "openat,close,pwrite64,pwritev,write,writev,ftruncate,fallocate,rename,renameat,renameat2,symlink,symlinkat,mkdir,mkdirat,"
        + "unlink,unlinkat,rmdir,link,linkat,fsync,fdatasync,syncfs,sync,copy_file_range,sendfile,sendto,recvfrom";

    private readonly Random _random = new(20261124);
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly PlayedHomeserver _homeserver = new();
    private readonly List<string> _rooms = [.. Enumerable.Range(0, 5).Select(_ => Some.RoomId())];
    private readonly Dictionary<string, Pushed> _pushed = [];
    private readonly HashSet<string> _received = [];
    private readonly HashSet<string> _acknowledged = [];
    private readonly HashSet<string> _tried = [];
    private readonly List<string> _failures = [];
    private WrittenDisk _disk;
    private (int Cuts, int Starts, int Wholes) _done;
    private (long Looked, long Lost, long Twice) _found;

    public PowerCutTests()
    {
        var isThere = File.Exists("/usr/bin/strace");
        Assert.False(!isThere && Environment.GetEnvironmentVariable("CI") == "true", "strace must be there in CI.");
        Assert.SkipUnless(isThere, "There is no strace here to record what a service writes.");
        Directory.CreateDirectory(_folder["disk"]);
        File.WriteAllText(_folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        _disk = new WrittenDisk(_folder["disk"]);
    }

    private string Logs => _folder["disk", "logs"];

    private sealed record Pushed(string Id, IReadOnlyList<(string EventId, string Json)> Events, string? Unloggable)
    {
        public string Body => $"{{\"events\":[{string.Join(',', Events.Select(e => e.Json).Concat(Unloggable is null ? [] : [JsonSerializer.Serialize(Unloggable)]))}]}}";
    }

    [Fact]
    public async Task A_power_cut_at_any_moment_leaves_every_acknowledged_event_there_once()
    {
        for (var story = 0; story < Proof.Times(1, 5); story++)
        {
            // A first start, and a kill in the middle of the traffic.
            await RunAsync([], async (service, url) =>
            {
                var sending = SendAsync(service, url, Make(12), Make(12));
                await Soon.IsTrueAsync(() => sending.IsCompleted || _random.Next(100) == 0, "a random moment");
                await service.KillAsync();
                await sending;
            });

            // Recovery, what is sent again, a checkpoint on a slow disk with traffic beside it, and a stop.
            await RunAsync(["--inject=fsync:delay_exit=10000"], async (service, url) =>
            {
                await SendAsync(service, url, [.. Unacknowledged(), .. Make(6)], Make(6));
                await WaitForCheckpointAsync();
                await SendAsync(service, url, Make(4), Make(4));
                Assert.Equal(0, await service.StopAsync());
            });
        }

        Assert.Empty(LogFolder.Segments(Logs));
        Conclude("power cut", "each call of a run: traffic, kill, recovery, checkpoint, stop");
    }

    [Fact]
    public async Task A_power_cut_after_a_kill_while_files_are_mended_leaves_every_acknowledged_event_there_once()
    {
        for (var syncs = 1; syncs <= Proof.Times(2, 12); syncs++)
        {
            await DamageAsync();
            await RunAsync([$"--inject=fsync:signal=KILL:when={syncs.ToString(CultureInfo.InvariantCulture)}"], async (service, url) =>
            {
                await SendAsync(service, url, [Keep(ToEachRoom(), null), .. Make(3)]);
                await service.KillAsync();
            });
            await RunAsync([], async (service, url) =>
            {
                await SendAsync(service, url, [.. Unacknowledged(), .. Make(3)]);
                await service.KillAsync();
            });
        }

        Conclude("power cut", "each call of a run that was killed in its mending, and of the next");
    }

    [Fact]
    public async Task A_second_power_cut_in_the_recovery_from_the_first_leaves_every_acknowledged_event_there_once()
    {
        for (var story = 0; story < Proof.Times(1, 12); story++)
        {
            await RunAsync([], async (service, url) =>
            {
                await SendAsync(service, url, [.. Unacknowledged(), .. Make(6)], Make(6));
                await service.KillAsync();
            }, isTried: false);
            Directory.Delete(_folder["disk"], recursive: true);
            _disk.Leave(Fates().Last(), _folder["disk"]);
            _disk = WrittenDisk.Of(_folder["disk"]);
            await RunAsync([], async (service, url) =>
            {
                await SendAsync(service, url, [.. Unacknowledged(), .. Make(3)], Make(3));
                await service.KillAsync();
            });
        }

        Conclude("power cut", "each call of a run that begins with what a power cut left");
    }

    public void Dispose()
    {
        _homeserver.Dispose();
        _folder.Dispose();
    }

    /// <summary>Logs that somebody has damaged long ago in all ways that are mended when a room is opened.</summary>
    private async Task DamageAsync()
    {
        using (var logs = new LogDirectory(Logs, TimeProvider.System, NullLogger<LogDirectory>.Instance))
        {
            Assert.True(await logs.TryRecoverAsync());
            foreach (var pushed in Make(4).Append(Keep(ToEachRoom(), null)))
            {
                await CommitAsync(logs, pushed);
                _received.Add(pushed.Id);
                _acknowledged.Add(pushed.Id);
            }

            await logs.CheckpointAsync(TestContext.Current.CancellationToken);
        }

        foreach (var (room, index) in _rooms.Select((room, index) => (room, index)))
        {
            var record = Directory.GetFiles(Path.Combine(Logs, room), "*.jsonl")[^1];
            var text = Path.ChangeExtension(record, ".log");
            switch (index % 5)
            {
                case 0: File.WriteAllText(record, File.ReadAllText(record).TrimEnd('\n')); break;
                case 1: File.WriteAllLines(text, File.ReadAllLines(text)[..1]); break;
                case 2: File.AppendAllText(record, "{\"event_id\":\"$torn"); break;
                case 3: File.AppendAllText(text, "2026-11-23 12:00:00 +00:00 <@al"); break;
                default: File.AppendAllText(text, "somebody's note\n"); break;
            }
        }

        _disk = WrittenDisk.Of(_folder["disk"]);
    }

    private List<Pushed> Make(int transactions) => [.. Enumerable.Range(0, transactions).Select(_ => Make())];

    private Pushed Make()
    {
        if (_random.Next(6) == 0)
            _rooms.Add(Some.RoomId());
        var events = Enumerable.Range(0, 1 + _random.Next(8)).Select(_ =>
        {
            var (room, id) = (_rooms[^(1 + _random.Next(Math.Min(_rooms.Count, 8)))], Some.EventId());
            return (id, Some.Message(room, $"message {id} {new string('x', _random.Next(_random.Next(5) == 0 ? 9000 : 100))}", id));
        });
        return Keep([.. events], _random.Next(8) == 0 ? $"no event {Some.EventId()}" : null);
    }

    private List<(string, string)> ToEachRoom() => [.. _rooms.Select(room => (Room: room, Id: Some.EventId())).Select(e => (e.Id, Some.Message(e.Room, $"message {e.Id}", e.Id)))];

    private Pushed Keep(IReadOnlyList<(string, string)> events, string? unloggable)
    {
        var pushed = new Pushed($"t{_pushed.Count}", events, unloggable);
        return _pushed[pushed.Id] = pushed;
    }

    // Under new ids and in another order, as a homeserver may that has been restarted meanwhile.
    private List<Pushed> Unacknowledged()
    {
        var again = Unacknowledged(_pushed.Values).ToArray();
        _random.Shuffle(again);
        return [.. again.Select(pushed => Keep(pushed.Events, pushed.Unloggable))];
    }

    private IEnumerable<Pushed> Unacknowledged(IEnumerable<Pushed> among)
    {
        var acknowledged = _acknowledged.Select(id => _pushed[id].Events).ToHashSet();
        return among.Where(pushed => !acknowledged.Contains(pushed.Events)).DistinctBy(pushed => pushed.Events);
    }

    private static async Task SendAsync(ServiceProcess service, string url, params IReadOnlyList<Pushed>[] connections) =>
        await Task.WhenAll(connections.Select(connection => Task.Run(async () =>
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
            for (var next = 0; next < connection.Count && !service.HasExited;)
            {
                try
                {
                    using var content = new StringContent(connection[next].Body, Encoding.UTF8, "application/json");
                    using var response = await http.PutAsync($"{url}/_matrix/app/v1/transactions/{connection[next].Id}", content, TestContext.Current.CancellationToken);
                    Assert.True(response.IsSuccessStatusCode);
                    next++;
                }
                catch (HttpRequestException)
                {
                    // Not there yet, or killed.
                    await Task.Delay(20, TestContext.Current.CancellationToken);
                }
            }
        })));

    private async Task WaitForCheckpointAsync()
    {
        var before = Syncs();
        await Soon.IsTrueAsync(() => Syncs() > before, "an idle service began a checkpoint");
        int Syncs() => File.ReadLines(_folder["trace"]).Count(line => line.Contains(" fsync(", StringComparison.Ordinal));
    }

    /// <summary>Runs the service on the disk under strace, does something with it until it ends, and tries a power cut after each of its calls.</summary>
    private async Task RunAsync(string[] options, Func<ServiceProcess, string, Task> what, bool isTried = true)
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        await using (var service = ServiceProcess.StartUnder(
            ["strace", "-D", "-f", "--seccomp-bpf", "-xx", "-s", "1000000", "-o", _folder["trace"], "-e", $"trace={Traced}", .. options],
            _folder.Path, "--homeserver", _homeserver.Address, "--urls", url, "--logs", Logs))
        {
            await what(service, url);
            await Soon.IsTrueAsync(() => Regex.IsMatch(File.ReadLines(_folder["trace"]).LastOrDefault() ?? "", $@"^{service.Id} +\+\+\+ "), "strace wrote all");
        }

        var calls = TracedCalls.Read(_folder["trace"]).ToList();
        var every = isTried ? Math.Max(1, calls.Count(call => call.Call.Name is "pwrite64" or "fsync") / 2 / Proof.Times(40, 1_000_000)) : int.MaxValue;
        var connections = new Dictionary<long, string>();
        foreach (var (call, isEnd) in calls)
        {
            if ((_disk.Apply(call, isEnd) | Hear(call, isEnd, connections)) && ++_done.Cuts % every == 0)
                await CutAsync(call);
        }

        // A kill leaves open whether the call that it met was done: the folder tells.
        foreach (var call in calls.Where(call => call.IsEnd && call.Call.Result is null && !IsAsItIs()).Select(call => call.Call))
        {
            call.End("", call.Name == "pwrite64" ? call.Bytes(1).Length : 0);
            _disk.Apply(call, isEnd: true);
        }

        Assert.True(IsAsItIs(), "What strace recorded makes the folder that the service left.");
        bool IsAsItIs() => _disk.Leave(change => change, to: null) == WrittenDisk.Of(_folder["disk"]).Leave(change => change, to: null);
    }

    /// <summary>Which transactions came, and which were answered: from the moment in which the answer begins to go out.</summary>
    private bool Hear(TracedCalls.Call call, bool isEnd, Dictionary<long, string> connections)
    {
        if (call.Name == "recvfrom" && isEnd && call.Result > 0 && Request().Match(call.Text(1)) is { Success: true } request)
            _received.Add(connections[call.Number(0)] = request.Groups["id"].Value);
        return call.Name == "sendto" && !isEnd && connections.TryGetValue(call.Number(0), out var id)
            && call.Text(1).StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) && _acknowledged.Add(id);
    }

    [GeneratedRegex("^PUT /_matrix/app/v1/transactions/(?<id>[^ ]+) ")]
    private static partial Regex Request();

    /// <summary>What a power cut may do with changes that are not durable: nothing of them is there, all, those up to some moment, or any part, torn.</summary>
    private IEnumerable<Func<WrittenDisk.Change, WrittenDisk.Change?>> Fates()
    {
        yield return _ => null;
        yield return change => change;
        for (var i = 0; i < Proof.Times(2, 6); i++)
        {
            var fates = new Dictionary<long, WrittenDisk.Change?>();
            yield return change => fates.TryGetValue(change.Number, out var fate) ? fate : fates[change.Number] = Fate(change);
        }
    }

    private WrittenDisk.Change? Fate(WrittenDisk.Change change)
    {
        if (change is not WrittenDisk.Written written)
            return _random.Next(2) == 0 ? change : null;
        var sector = _random.Next(2) == 0 ? 512 : 4096;
        var cut = (int)Math.Clamp((((written.Offset + _random.Next(written.Bytes.Length)) / sector) * sector) - written.Offset, 0, written.Bytes.Length);
        switch (_random.Next(6))
        {
            case 0: return null;
            case 1: return change;
            case 2: return written with { Bytes = written.Bytes[..cut] };
            case 3: return written with { Bytes = [.. written.Bytes[..cut], .. new byte[written.Bytes.Length - cut]] };
            case 4: return written with { Bytes = new byte[written.Bytes.Length] };
            default:
                // Any of its pages, whatever their order.
                var bytes = written.Bytes.ToArray();
                for (var page = cut; page < bytes.Length; page += 4096)
                    if (_random.Next(2) == 0)
                        bytes.AsSpan(page, Math.Min(4096, bytes.Length - page)).Clear();
                return written with { Bytes = bytes };
        }
    }

    private async Task CutAsync(TracedCalls.Call call)
    {
        var number = 0;
        foreach (var fate in Fates())
        {
            var where = $"cut {_done.Cuts} ({call}), fate {number++}";
            if (!_tried.Add($"{_disk.Leave(fate, to: null)} {_acknowledged.Count} {_received.Count}"))
                continue;
            using var cut = TempFolder.InMemory();
            _disk.Leave(fate, cut.Path);
            try
            {
                if (++_done.Starts % Proof.Times(100, 50) == 0)
                    await StartWholeAsync(cut, where);
                else
                    await StartAsync(cut, where);
                LogFolder.AssertLineForLine(cut["logs"]);
                Assert.Empty(LogFolder.Segments(cut["logs"]));
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                _failures.Add($"{where}: {e.GetType().Name} {e.Message}");
            }
        }
    }

    private async Task StartAsync(TempFolder cut, string where)
    {
        using var logs = new LogDirectory(cut["logs"], TimeProvider.System, NullLogger<LogDirectory>.Instance);
        Assert.True(await logs.TryRecoverAsync());
        Look(cut["logs"], _acknowledged, where);
        foreach (var again in ToSend())
            await CommitAsync(logs, again);
        await logs.CheckpointAsync(TestContext.Current.CancellationToken);
        Look(cut["logs"], _received, where);
    }

    /// <summary>As <see cref="StartAsync"/>, through the whole service.</summary>
    private async Task StartWholeAsync(TempFolder cut, string where)
    {
        _done.Wholes++;
        using (var service = new ServiceUnderTest(folder: cut))
        {
            foreach (var again in ToSend())
                Assert.Equal(200, (await service.SendAsync(HttpMethod.Put, $"/_matrix/app/v1/transactions/{again.Id}", again.Body)).Status);
        }

        Look(cut["logs"], _received, where);
    }

    private IEnumerable<Pushed> ToSend() => [.. Unacknowledged(_received.Select(id => _pushed[id])), new("next", ToEachRoom(), null)];

    private static async Task CommitAsync(LogDirectory logs, Pushed pushed)
    {
        Assert.True(Transaction.TryParse(Encoding.UTF8.GetBytes(pushed.Body), out var transaction, out _));
        await logs.CommitAsync(transaction.Events, transaction.Unloggable, pushed.Id);
    }

    private void Look(string logs, IEnumerable<string> transactions, string where)
    {
        var records = Directory.GetDirectories(logs, "!*").SelectMany(room => Directory.GetFiles(room, "*.jsonl")).SelectMany(File.ReadLines);
        var there = records.Select(line => EventId().Match(line)).Where(id => id.Success).CountBy(id => id.Groups["id"].Value).ToDictionary();
        var quarantine = !Directory.Exists(Path.Combine(logs, ".quarantine")) ? "" : string.Concat(Directory.GetFiles(Path.Combine(logs, ".quarantine")).Select(File.ReadAllText));
        foreach (var pushed in transactions.Select(id => _pushed[id]))
        {
            foreach (var (id, _) in pushed.Events)
            {
                _found.Looked++;
                if (there.GetValueOrDefault(id) is var times and not 1)
                {
                    _found = times == 0 ? _found with { Lost = _found.Lost + 1 } : _found with { Twice = _found.Twice + 1 };
                    _failures.Add($"{where}: {id} of {pushed.Id} is there {times} times");
                }
            }

            if (pushed.Unloggable is { } text && !quarantine.Contains($"\"{text}\"", StringComparison.Ordinal))
            {
                _found.Lost++;
                _failures.Add($"{where}: \"{text}\" of {pushed.Id} is not in the quarantine");
            }
        }
    }

    // A line that is whole, as the service itself takes it.
    [GeneratedRegex("""^\{"content":\{.*"event_id":"(?<id>[^"]+)".*,"received_ts":[0-9]+\}$""")]
    private static partial Regex EventId();

    private void Conclude(string fault, string how)
    {
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"{_done.Cuts} moments, {_done.Starts} starts, {_done.Wholes} of them of the whole service, {_received.Count} transactions");
        foreach (var failure in _failures.DistinctBy(failure => failure[..failure.IndexOf("fate", StringComparison.Ordinal)]).Take(20))
            output.WriteLine(failure);
        Proof.Holds(fault, how, _done.Starts, _found.Looked, _found.Lost, _found.Twice);
        Assert.Empty(_failures);
    }
}
