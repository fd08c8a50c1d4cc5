using System.Text;
using System.Text.RegularExpressions;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using LoggingService.Transactions;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Tests.Reliability;

/// <summary>Runs the service under strace and restarts it on the states that a power cut after each system call could leave.</summary>
internal sealed class PowerCutSimulation : IDisposable
{
    private const string Traced =
        "openat,close,pwrite64,pwritev,write,writev,ftruncate,fallocate,rename,renameat,renameat2,symlink,symlinkat,mkdir,mkdirat,"
        + "unlink,unlinkat,rmdir,link,linkat,fsync,fdatasync,syncfs,sync,copy_file_range,sendfile,sendto,recvfrom";

    private readonly Random _random = new(20261124);
    private readonly TempFolder _folder = TempFolder.ForCaller(test: "disk");
    private readonly FakeHomeserver _homeserver = new();
    private readonly HashSet<string> _testedStates = [];
    private readonly List<string> _failures = [];
    private readonly List<string> _obstructed = [];
    private DiskModel _disk = null!;
    private int _cuts;
    private int _starts;
    private int _fullStarts;
    private long _checked;
    private long _lost;
    private long _duplicated;

    public PowerCutSimulation()
    {
        var hasStrace = File.Exists("/usr/bin/strace");
        Assert.False(!hasStrace && Environment.GetEnvironmentVariable("CI") == "true", "strace is required in CI");
        Assert.SkipUnless(hasStrace, "strace isn't installed here");
        File.WriteAllText(_folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        StartOver();
    }

    /// <summary>The log directory; its directory entry is durable only if the service syncs it.</summary>
    public string Logs => _folder["disk", "logs"];

    public PowerCutTraffic Traffic { get; private set; } = null!;

    private string Disk => _folder["disk"];

    private string Trace => _folder["trace"];

    /// <summary>Starts over with an empty disk and new rooms.</summary>
    public void StartOver()
    {
        if (Directory.Exists(Disk))
            Directory.Delete(Disk, recursive: true);
        Directory.CreateDirectory(Disk);
        _disk = new DiskModel(Disk);
        Traffic = new(_random);
        _testedStates.Clear();
        _obstructed.Clear();
    }

    /// <summary>Treats the current content of the folder as durable.</summary>
    public void MarkDurable() => _disk = DiskModel.FromFolder(Disk);

    /// <summary>Puts a file in the place of a room's folder, durably: the room can't be written.</summary>
    public void Obstruct(string room)
    {
        Directory.CreateDirectory(Logs);
        File.WriteAllText(Path.Combine(Logs, room), "");
        _obstructed.Add(room);
        MarkDurable();
    }

    /// <summary>Makes the rooms writable, durably.</summary>
    public void RemoveObstacles()
    {
        foreach (var room in _obstructed)
        {
            File.Delete(Path.Combine(Logs, room));
            _disk.Remove(Path.Combine(Logs, room));
        }

        _obstructed.Clear();
    }

    /// <summary>Cuts the power now: replaces the folder by one of the possible outcomes.</summary>
    public void Cut()
    {
        Directory.Delete(Disk, recursive: true);
        _disk.Write(PowerCutOutcomes.Create(_random, _disk.Changes).Last(), Disk);
        MarkDurable();
    }

    /// <summary>The number of fsync calls in the current run.</summary>
    public int CountSyncs() => File.ReadLines(Trace).Count(line => line.Contains(" fsync(", StringComparison.Ordinal));

    /// <summary>The folders of parked segments.</summary>
    public string[] ParkedFolders()
    {
        var journal = Path.Combine(Logs, ".journal");
        return Directory.Exists(journal) ? Directory.GetDirectories(journal) : [];
    }

    /// <summary>Runs the service under strace until the action has stopped it, then tests a power cut after each system call.</summary>
    public async Task RunAsync(string[] options, Func<ServiceProcess, string, Task> action, bool isTested = true)
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        // Without injections: with --seccomp-bpf, which is faster, strace 6.1 miscounts calls for injections.
        options = options.Length == 0 ? ["--seccomp-bpf"] : options;
        await using (var service = ServiceProcess.StartUnder(
            ["strace", "-D", "-f", "-xx", "-s", "1000000", "-o", Trace, "-e", $"trace={Traced}", .. options],
            _folder.Path, "--homeserver", _homeserver.Address, "--urls", url, "--logs", Logs))
        {
            await action(service, url);
            var lastLine = $@"^{service.Id} +\+\+\+ ";
            await Wait.UntilAsync(() => Regex.IsMatch(File.ReadLines(Trace).LastOrDefault() ?? "", lastLine), "strace has written its log");
        }

        _disk.BeginProcess();
        var calls = StraceLog.Read(Trace).ToList();
        var writes = calls.Count(call => call.Call.Name is "pwrite64" or "fsync" or "fdatasync") / 2;
        var every = isTested ? Math.Max(1, writes / Trial.Scale(40, 1_000_000)) : int.MaxValue;
        var connections = new Dictionary<long, string>();
        foreach (var (call, isEnd) in calls)
        {
            if (!(_disk.Apply(call, isEnd) | ApplyToTraffic(call, isEnd, connections)))
                continue;
            _cuts++;
            if (_cuts % every == 0)
                await CutAsync(call);
        }

        // Whether a call that was interrupted by the kill took effect is visible only in the folder.
        foreach (var call in calls.Where(call => call.IsEnd && call.Call.Result is null && !EqualsFolder()).Select(call => call.Call))
        {
            call.End("", call.Name == "pwrite64" ? call.Bytes(1).Length : 0);
            _disk.Apply(call, isEnd: true);
        }

        Assert.True(EqualsFolder(), "The recorded calls must result in the folder that the service left");
        bool EqualsFolder() =>
            _disk.Write(DiskModel.Outcome.All, to: null) == DiskModel.FromFolder(Disk).Write(DiskModel.Outcome.All, to: null);
    }

    /// <summary>Reports the result, and fails if events were lost or duplicated.</summary>
    public void Report(string fault, string method)
    {
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine($"{_cuts} moments, {_starts} starts, {_fullStarts} of them full, {Traffic.Received.Count} transactions");
        foreach (var failure in _failures.DistinctBy(failure => failure[..failure.IndexOf("outcome", StringComparison.Ordinal)]).Take(20))
            output.WriteLine(failure);
        Trial.Report(fault, method, _starts, _checked, _lost, _duplicated);
        Assert.Empty(_failures);
    }

    public void Dispose()
    {
        _homeserver.Dispose();
        _folder.Dispose();
    }

    /// <summary>Tracks which transactions were received and acknowledged; they count from the moment in which the 200 is sent.</summary>
    private bool ApplyToTraffic(StraceLog.Call call, bool isEnd, Dictionary<long, string> connections)
    {
        var request = call.Name == "recvfrom" && isEnd && call.Result > 0 ? PowerCutTraffic.Request().Match(call.Text(1)) : Match.Empty;
        if (request.Success)
        {
            connections[call.Number(0)] = request.Groups["id"].Value;
            Traffic.Received.Add(request.Groups["id"].Value);
        }

        return call.Name == "sendto" && !isEnd && connections.TryGetValue(call.Number(0), out var id)
            && call.Text(1).StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) && Traffic.Acknowledged.Add(id);
    }

    private async Task CutAsync(StraceLog.Call call)
    {
        var number = 0;
        foreach (var outcome in PowerCutOutcomes.Create(_random, _disk.Changes))
        {
            var where = $"cut {_cuts} ({call}), outcome {number}";
            number++;
            if (!_testedStates.Add($"{_disk.Write(outcome, to: null)} {Traffic.Acknowledged.Count} {Traffic.Received.Count}"))
                continue;
            using var cut = TempFolder.InMemory();
            _disk.Write(outcome, cut.Path);
            try
            {
                _starts++;
                if (_obstructed.Count > 0)
                    await StartObstructedAsync(cut, where);
                if (_starts % Trial.Scale(100, 50) == 0)
                    await StartFullServiceAsync(cut, where);
                else
                    await StartAsync(cut, where);
                LogFolder.AssertLineForLine(cut["logs"]);
                var left = Directory.GetFileSystemEntries(cut["logs", ".journal"])
                    .Concat(Directory.GetFiles(cut["logs"], "*.new", SearchOption.AllDirectories))
                    .Except([cut["logs", ".history", "checked.new"]]);
                Assert.True(!left.Any(), $"left behind: {string.Join(", ", left.Select(path => Path.GetRelativePath(cut.Path, path)))}");
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
        logs.Start();
        await logs.CaughtUpAsync();
        Check(cut["logs"], Traffic.Acknowledged, where);
        foreach (var transaction in ToSend())
            await CommitAsync(logs, transaction);
        await logs.StopAsync();
        Check(cut["logs"], Traffic.Received, where);
    }

    /// <summary>Starts while rooms can't be written, stops, and makes them writable.</summary>
    private async Task StartObstructedAsync(TempFolder cut, string where)
    {
        using (var logs = new LogDirectory(cut["logs"], TimeProvider.System, NullLogger<LogDirectory>.Instance))
        {
            logs.Start();
            await logs.CaughtUpAsync();
            Check(cut["logs"], Traffic.Acknowledged, where, isObstructed: true);
            foreach (var transaction in ToSend())
                await CommitAsync(logs, transaction);
            await logs.StopAsync();
            Check(cut["logs"], Traffic.Received, where, isObstructed: true);
        }

        foreach (var room in _obstructed)
            File.Delete(cut["logs", room]);
    }

    /// <summary>Same as <see cref="StartAsync"/>, with the complete service.</summary>
    private async Task StartFullServiceAsync(TempFolder cut, string where)
    {
        _fullStarts++;
        using (var service = new ServiceUnderTest(folder: cut))
        {
            foreach (var transaction in ToSend())
            {
                var target = $"/_matrix/app/v1/transactions/{transaction.Id}";
                Assert.Equal(200, (await service.SendAsync(HttpMethod.Put, target, transaction.Body)).Status);
            }
        }

        Check(cut["logs"], Traffic.Received, where);
    }

    private IEnumerable<PowerCutTraffic.Transaction> ToSend() =>
        [.. Traffic.Unacknowledged(Traffic.Received.Select(id => Traffic[id])), new("next", Traffic.CreateForEachRoom(), null, [])];

    /// <summary>Commits a transaction to logs.</summary>
    public static async Task CommitAsync(LogDirectory logs, PowerCutTraffic.Transaction transaction)
    {
        Assert.True(Transaction.TryParse(Encoding.UTF8.GetBytes(transaction.Body), out var parsed, out _));
        await logs.AppendAsync(parsed.Events, parsed.Unloggable, transaction.Id);
    }

    private void Check(string logs, IEnumerable<string> transactions, string where, bool isObstructed = false)
    {
        var lines = Directory.GetDirectories(logs, "!*").SelectMany(room => Directory.GetFiles(room, "*.jsonl")).SelectMany(File.ReadLines);
        var matches = lines.Select(line => PowerCutTraffic.EventId().Match(line)).Where(match => match.Success);
        var logged = matches.CountBy(match => match.Groups["id"].Value).ToDictionary();
        var quarantineFolder = Path.Combine(logs, ".quarantine");
        var quarantine = Directory.Exists(quarantineFolder)
            ? string.Concat(Directory.GetFiles(quarantineFolder).Select(File.ReadAllText))
            : "";
        foreach (var (id, count) in logged.Where(e => e.Value > 1))
        {
            _duplicated++;
            _failures.Add($"{where}: {id} is logged {count} times");
        }

        foreach (var transaction in transactions.Select(id => Traffic[id]))
        {
            var expected = transaction.Events.Where(
                e => !isObstructed || !_obstructed.Exists(room => e.Json.Contains($"\"{room}\"")));
            foreach (var (id, _) in expected)
            {
                _checked++;
                if (!logged.ContainsKey(id))
                {
                    _lost++;
                    _failures.Add($"{where}: {id} of {transaction.Id} is not logged");
                }
            }

            if (transaction.Unloggable is { } text && !quarantine.Contains($"\"{text}\"", StringComparison.Ordinal))
            {
                _lost++;
                _failures.Add($"{where}: \"{text}\" of {transaction.Id} is not in the quarantine");
            }
        }
    }
}
