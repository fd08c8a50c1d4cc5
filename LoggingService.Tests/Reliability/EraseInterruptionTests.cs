using System.Text.Json;
using System.Text.RegularExpressions;
using LoggingService.Erasure;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// SIGKILL and power cuts while <c>erase</c> runs. strace records its system calls; for each one that changes the logs the folder is
/// rebuilt as a kill, or a power cut, after it would leave it: each file is the old or the new one, and the same command again ends the
/// work.
/// </summary>
public class EraseInterruptionTests : ErasureTestBase
{
    private const string Traced =
        "openat,close,pwrite64,pwritev,write,writev,ftruncate,fallocate,rename,renameat,renameat2,symlink,symlinkat,mkdir,mkdirat,"
        + "unlink,unlinkat,rmdir,link,linkat,fsync,fdatasync,syncfs,sync,copy_file_range,sendfile";

    private readonly Random _random = new(20261127);
    private readonly HashSet<string> _tested = [];
    private int _checkedEvents;

    [Theory]
    [InlineData("--user", Alice, "--pseudonym")]
    [InlineData("--event", "$secret")]
    public async Task After_a_kill_or_a_power_cut_at_any_write_the_command_finishes_the_erasure(params string[] what)
    {
        var hasStrace = File.Exists("/usr/bin/strace");
        Assert.False(!hasStrace && Environment.GetEnvironmentVariable("CI") == "true", "strace is required in CI");
        Assert.SkipUnless(hasStrace, "strace isn't installed here");
        await LogAsync();
        var words = what[0] == "--user" ? Secret : "the zanzibar words";
        LogFolder.Copy(Logs, Folder["disk", "logs"]);
        var disk = DiskModel.FromFolder(Folder["disk"]);
        var before = Files(Logs);
        await EraseUnderStraceAsync(what);
        var after = Files(Folder["disk", "logs"]);
        Assert.Empty(FilesWith(Folder["disk", "logs"], words));

        disk.BeginProcess();
        var request = what[0] == "--user"
            ? new ErasureRequest { User = what[1], Pseudonym = Pseudonym.Create() }
            : new ErasureRequest { EventId = what[1] };
        var calls = 0;
        foreach (var (call, isEnd) in StraceLog.Read(Folder["trace"]).ToList())
        {
            if (!disk.Apply(call, isEnd))
                continue;
            calls++;
            var outcomes = PowerCutOutcomes.Create(_random, disk.Changes).ToList();

            // The first is the folder after a kill.
            outcomes.Insert(0, DiskModel.Outcome.All);
            foreach (var (index, outcome) in outcomes.Index().Where(_ => calls % Trial.Scale(3, 1) == 0))
            {
                if (!_tested.Add(disk.Write(outcome, to: null)))
                    continue;
                using var cut = TempFolder.InMemory();
                disk.Write(outcome, cut.Path);
                var where = $"call {calls} ({call}), outcome {index}";
                AssertOldOrNew(cut["logs"], before, after, where);
                await FinishAsync(cut["logs"], request);
                Assert.True(FilesWith(cut["logs"], words).Count == 0, $"{where}: {string.Join(' ', FilesWith(cut["logs"], words))}");
                AssertComplete(cut["logs"], before, where);
            }
        }

        Trial.Report("erasure interrupted", $"SIGKILL and power cut at each call of erase {what[0]}", _tested.Count, _checkedEvents, 0, 0);
    }

    [Theory]
    [InlineData("pwrite64", "jsonl.gz.new")]
    [InlineData("rename", "jsonl.gz.new")]
    [InlineData("rename", "log.gz.new")]
    [InlineData("unlink", "log.old")]
    public async Task After_a_kill_at_a_step_the_same_command_finishes_the_erasure(string call, string extension)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace isn't installed here");
        await LogAsync();
        var before = Files(Logs);
        var path = Path.Combine(Logs, Room, $"{FirstDay}.{extension}");
        await using (var killed = ServiceProcess.StartUnder(
            ["strace", "-D", "-f", "-o", "/dev/null", "-P", path, "-e", $"trace={call}", "-e", $"inject={call}:signal=KILL:when=1"],
            Folder.Path, "erase", "--user", Alice, "--pseudonym", "--yes"))
            Assert.NotEqual(0, await killed.WaitForExitAsync());
        Assert.NotEmpty(FilesWith(Logs, Secret));

        var (exitCode, output) = await RunAsync("erase", "--user", Alice, "--pseudonym", "--yes");
        Assert.True(exitCode == 0, string.Join('\n', output));
        Assert.Equal("Finishing an erasure that was interrupted.", output[0]);
        Assert.Empty(FilesWith(Logs, Secret));
        AssertComplete(Logs, before, call);
        await AssertVerifiedAsync();
    }

    private async Task EraseUnderStraceAsync(string[] what)
    {
        await using var process = ServiceProcess.StartUnder(
            ["strace", "-D", "-f", "-xx", "-s", "1000000", "-o", Folder["trace"], "-e", $"trace={Traced}", "--seccomp-bpf"],
            Folder.Path, ["erase", .. what, "--yes", "--logs", Folder["disk", "logs"]]);
        var exitCode = await process.WaitForExitAsync();
        Assert.True(exitCode == 0, string.Join('\n', process.Output));
        var lastLine = $@"^{process.Id} +\+\+\+ ";
        await Wait.UntilAsync(
            () => Regex.IsMatch(File.ReadLines(Folder["trace"]).LastOrDefault() ?? "", lastLine), "strace has written its log");
    }

    /// <summary>As the command does without a running service.</summary>
    private static async Task FinishAsync(string logs, ErasureRequest request)
    {
        using var directory = new LogDirectory(logs, TimeProvider.System, NullLogger<LogDirectory>.Instance);
        directory.Start();
        await directory.CaughtUpAsync();
        var files = new ErasureFiles(logs);
        var eraser = new Eraser(directory, new RoomFiles(directory), TimeProvider.System, NullLogger<Eraser>.Instance);
        await eraser.RunAsync(files.ReadRequest() ?? request);
        files.RemoveRequest();
        await directory.StopAsync();
    }

    /// <summary>The contents of all records and texts, decompressed, by their names.</summary>
    private static Dictionary<string, string[]> Files(string logs) => Directory.GetDirectories(logs, "!*")
        .SelectMany(folder => Directory.GetFiles(folder))
        .Select(path => Regex.Match(path, @"^.*\d{8}\.(log|jsonl)(?=(\.gz)?$)").Value)
        .Where(path => path.Length > 0)
        .Distinct()
        .ToDictionary(path => Path.GetRelativePath(logs, path), Lines);

    private static void AssertOldOrNew(
        string logs, Dictionary<string, string[]> before, Dictionary<string, string[]> after, string where)
    {
        var files = Files(logs);
        Assert.Equal(before.Keys.Order(), files.Keys.Order());
        foreach (var (name, lines) in files)
            Assert.True(lines.SequenceEqual(before[name]) || lines.SequenceEqual(after[name]), $"{where}: {name}");
    }

    /// <summary>No line was lost, and each text has the lines of its record.</summary>
    private void AssertComplete(string logs, Dictionary<string, string[]> before, string where)
    {
        var files = Files(logs);
        Assert.Equal(before.Keys.Order(), files.Keys.Order());
        foreach (var (name, lines) in files)
        {
            Assert.True(lines.Length == before[name].Length, $"{where}: {name}");
            Assert.Equal(before[name].Select(IdOf), lines.Select(IdOf));
            _checkedEvents += lines.Length;
        }
    }

    /// <summary>The id of a record's line; of a line of a text nothing.</summary>
    private static string? IdOf(string line) =>
        line.StartsWith('{') ? JsonElement.Parse(line).GetProperty("event_id").GetString() : null;
}
