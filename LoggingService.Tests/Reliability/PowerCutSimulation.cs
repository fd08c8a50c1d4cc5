using System.Text;
using System.Text.RegularExpressions;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using LoggingService.Transactions;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Tests.Reliability;

/// <summary>Runs the service under strace, and starts it on what a power cut after each of its calls could leave.</summary>
internal sealed partial class PowerCutSimulation : IDisposable
{
    private const string Traced =
        "openat,close,pwrite64,pwritev,write,writev,ftruncate,fallocate,rename,renameat,renameat2,symlink,symlinkat,mkdir,mkdirat,"
        + "unlink,unlinkat,rmdir,link,linkat,fsync,fdatasync,syncfs,sync,copy_file_range,sendfile,sendto,recvfrom";

    private readonly Random _random = new(20261124);
    private readonly TempFolder _folder = TempFolder.ForCaller(test: "disk");
    private readonly FakeHomeserver _homeserver = new();
    private readonly HashSet<string> _tried = [];
    private readonly List<string> _failures = [];
    private DiskModel _disk = null!;
    private (int Cuts, int Starts, int Wholes) _done;
    private (long Looked, long Lost, long Twice) _found;

    public PowerCutSimulation()
    {
        var isThere = File.Exists("/usr/bin/strace");
        Assert.False(!isThere && Environment.GetEnvironmentVariable("CI") == "true", "strace must be there in CI.");
        Assert.SkipUnless(isThere, "There is no strace here to record what a service writes.");
        File.WriteAllText(_folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        StartOver();
    }

    /// <summary>The log directory, whose own name is as durable as the service makes it.</summary>
    public string Logs => _folder["disk", "logs"];

    /// <summary>What is pushed.</summary>
    public PowerCutTraffic Traffic { get; private set; } = null!;

    private string Disk => _folder["disk"];

    private string Trace => _folder["trace"];

    /// <summary>An empty disk, and new rooms.</summary>
    public void StartOver()
    {
        if (Directory.Exists(Disk))
            Directory.Delete(Disk, recursive: true);
        Directory.CreateDirectory(Disk);
        _disk = new DiskModel(Disk);
        Traffic = new(_random);
        _tried.Clear();
    }

    /// <summary>Takes the folder for one that has long been on the disk as it is.</summary>
    public void TakeForDurable() => _disk = DiskModel.Of(Disk);

    /// <summary>Cuts the power now: the folder is any that may be left.</summary>
    public void Cut()
    {
        Directory.Delete(Disk, recursive: true);
        _disk.Leave(PowerCutOutcomes.Of(_random, _disk.Changes).Last(), Disk);
        TakeForDurable();
    }

    /// <summary>How often the service has synced something in the run in hand.</summary>
    public int Syncs() => File.ReadLines(Trace).Count(line => line.Contains(" fsync(", StringComparison.Ordinal));

    /// <summary>Runs the service on the disk under strace, does something with it until it ends, and tries a power cut after each of its calls.</summary>
    public async Task RunAsync(string[] options, Func<ServiceProcess, string, Task> what, bool isTried = true)
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";

        // The quick way of tracing doesn't count what it injects into (strace 6.1).
        options = options.Length == 0 ? ["--seccomp-bpf"] : options;
        await using (var service = ServiceProcess.StartUnder(
            ["strace", "-D", "-f", "-xx", "-s", "1000000", "-o", Trace, "-e", $"trace={Traced}", .. options],
            _folder.Path, "--homeserver", _homeserver.Address, "--urls", url, "--logs", Logs))
        {
            await what(service, url);
            await Wait.UntilAsync(() => Regex.IsMatch(File.ReadLines(Trace).LastOrDefault() ?? "", $@"^{service.Id} +\+\+\+ "), "strace wrote all");
        }

        _disk.Begin();
        var calls = StraceLog.Read(Trace).ToList();
        var every = isTried ? Math.Max(1, calls.Count(call => call.Call.Name is "pwrite64" or "fsync") / 2 / Trial.Scale(40, 1_000_000)) : int.MaxValue;
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
        bool IsAsItIs() => _disk.Leave(change => change, to: null) == DiskModel.Of(Disk).Leave(change => change, to: null);
    }

    /// <summary>Says what was found, and holds it to the promise.</summary>
    public void Conclude(string fault, string how)
    {
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"{_done.Cuts} moments, {_done.Starts} starts, {_done.Wholes} of them of the whole service, {Traffic.Received.Count} transactions");
        foreach (var failure in _failures.DistinctBy(failure => failure[..failure.IndexOf("fate", StringComparison.Ordinal)]).Take(20))
            output.WriteLine(failure);
        Trial.Report(fault, how, _done.Starts, _found.Looked, _found.Lost, _found.Twice);
        Assert.Empty(_failures);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _homeserver.Dispose();
        _folder.Dispose();
    }

    /// <summary>Which transactions came, and which were answered: from the moment in which the answer begins to go out.</summary>
    private bool Hear(StraceLog.Call call, bool isEnd, Dictionary<long, string> connections)
    {
        if (call.Name == "recvfrom" && isEnd && call.Result > 0 && Request().Match(call.Text(1)) is { Success: true } request)
            Traffic.Received.Add(connections[call.Number(0)] = request.Groups["id"].Value);
        return call.Name == "sendto" && !isEnd && connections.TryGetValue(call.Number(0), out var id)
            && call.Text(1).StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) && Traffic.Acknowledged.Add(id);
    }

    [GeneratedRegex("^PUT /_matrix/app/v1/transactions/(?<id>[^ ]+) ")]
    private static partial Regex Request();

    private async Task CutAsync(StraceLog.Call call)
    {
        var number = 0;
        foreach (var fate in PowerCutOutcomes.Of(_random, _disk.Changes))
        {
            var where = $"cut {_done.Cuts} ({call}), fate {number++}";
            if (!_tried.Add($"{_disk.Leave(fate, to: null)} {Traffic.Acknowledged.Count} {Traffic.Received.Count}"))
                continue;
            using var cut = TempFolder.InMemory();
            _disk.Leave(fate, cut.Path);
            try
            {
                if (++_done.Starts % Trial.Scale(100, 50) == 0)
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
        Look(cut["logs"], Traffic.Acknowledged, where);
        foreach (var again in ToSend())
            await CommitAsync(logs, again);
        await logs.CheckpointAsync(TestContext.Current.CancellationToken);
        Look(cut["logs"], Traffic.Received, where);
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

        Look(cut["logs"], Traffic.Received, where);
    }

    private IEnumerable<PowerCutTraffic.Pushed> ToSend() => [.. Traffic.Unacknowledged(Traffic.Received.Select(id => Traffic[id])), new("next", Traffic.ToEachRoom(), null)];

    /// <summary>Writes a transaction into logs.</summary>
    public static async Task CommitAsync(LogDirectory logs, PowerCutTraffic.Pushed pushed)
    {
        Assert.True(Transaction.TryParse(Encoding.UTF8.GetBytes(pushed.Body), out var transaction, out _));
        await logs.CommitAsync(transaction.Events, transaction.Unloggable, pushed.Id);
    }

    private void Look(string logs, IEnumerable<string> transactions, string where)
    {
        var records = Directory.GetDirectories(logs, "!*").SelectMany(room => Directory.GetFiles(room, "*.jsonl")).SelectMany(File.ReadLines);
        var there = records.Select(line => EventId().Match(line)).Where(id => id.Success).CountBy(id => id.Groups["id"].Value).ToDictionary();
        var quarantine = !Directory.Exists(Path.Combine(logs, ".quarantine")) ? "" : string.Concat(Directory.GetFiles(Path.Combine(logs, ".quarantine")).Select(File.ReadAllText));
        foreach (var pushed in transactions.Select(id => Traffic[id]))
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
}
