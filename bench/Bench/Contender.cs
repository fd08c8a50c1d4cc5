using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bench;

internal enum ContenderKind
{
    /// <summary>LoggingService.</summary>
    Service,

    /// <summary>The minimal durable service: what it acknowledges is in its file.</summary>
    Limit,

    /// <summary>Appends a line for each event to a file of its room.</summary>
    Peer,
}

/// <summary>A measured program: starts it and reads its resource usage.</summary>
/// <param name="name">The name in the tables.</param>
/// <param name="command">Returns the command line for a port to listen on.</param>
/// <param name="kind">Tells where the program writes.</param>
/// <param name="homeserver">The homeserver's URL.</param>
/// <param name="folder">The working directory, used by no other contender.</param>
internal sealed class Contender(
    string name, ContenderKind kind, Func<int, string[]> command, string homeserver, string folder) : IDisposable
{
    // PR_SET_PDEATHSIG fires when the thread that started the process exits: a dedicated thread starts them all.
    private static readonly BlockingCollection<Action> Starts = CreateStartThread();
    private static readonly byte[] EmptyBody = "{\"events\":[]}"u8.ToArray();
    private Process? _process;

    public string Name => name;

    public ContenderKind Kind => kind;

    public string Folder => folder;

    /// <summary>The port of the running program.</summary>
    public int Port { get; private set; }

    /// <summary>The files that the running program writes.</summary>
    public WrittenFiles Written { get; private set; } = new(null);

    /// <summary>Starts the program and returns the seconds until its first 200.</summary>
    /// <exception cref="TimeoutException">The program doesn't respond.</exception>
    public double Start()
    {
        Directory.CreateDirectory(folder);
        Written = new(kind == ContenderKind.Limit ? null : FileOf);
        Port = FreePort();
        var start = new ProcessStartInfo("setpriv", ["--pdeathsig", "KILL", "--", .. command(Port)])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOMESERVER"] = homeserver;
        start.Environment["TZ"] = Today.TimeZone;
        var clock = Stopwatch.StartNew();
        var started = new TaskCompletionSource<Process>();
        Starts.Add(() => started.SetResult(Process.Start(start)!));
        _process = started.Task.Result;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, e) => LastError = string.IsNullOrEmpty(e.Data) ? LastError : e.Data;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using var connection = new Connection(Port);
        while (true)
        {
            try
            {
                connection.Send([.. Encoding.ASCII.GetBytes(Connection.Head("start", EmptyBody.Length)), .. EmptyBody]);
                return clock.Elapsed.TotalSeconds;
            }
            catch (SocketException) when (!_process.HasExited && clock.Elapsed < TimeSpan.FromSeconds(30))
            {
                Thread.Sleep(2);
            }
            catch (SocketException)
            {
                throw new TimeoutException($"{name} doesn't respond. {LastError}");
            }
        }
    }

    /// <summary>The path of the file with a room's lines: a text's line follows its record.</summary>
    public string FileOf(long room)
    {
        var id = Rooms.Id(room.ToString("D13"));
        return kind == ContenderKind.Service
            ? Path.Combine(folder, "logs", id, Today.Name(Today.Date) + ".log")
            : Path.Combine(folder, id + ".log");
    }

    /// <summary>The last line on standard error.</summary>
    public string LastError { get; private set; } = "";

    /// <summary>
    /// Memory of the process tree in MB. Pages shared with other contenders (two limits, two node processes) count fully for each;
    /// pages shared within the tree count once.
    /// </summary>
    public double Megabytes()
    {
        var processes = Processes().ToList();
        var own = processes.Sum(id => Field($"/proc/{id}/smaps_rollup", "Pss_Anon:") + Field($"/proc/{id}/smaps_rollup", "Pss_Shmem:"));
        return (own + processes.Max(id => Field($"/proc/{id}/status", "RssFile:"))) / 1024;
    }

    /// <summary>The largest resident size of the process so far, in MB.</summary>
    public double PeakMegabytes() => Field($"/proc/{_process!.Id}/status", "VmHWM:") / 1024;

    /// <summary>CPU seconds used by the process tree.</summary>
    public double CpuSeconds() => Processes().Sum(id =>
    {
        var fields = File.ReadAllText($"/proc/{id}/stat").Split(')')[^1].Split(' ');
        return (long.Parse(fields[12], CultureInfo.InvariantCulture) + long.Parse(fields[13], CultureInfo.InvariantCulture)) / 100.0;
    });

    /// <summary>Disk usage of the written files in bytes, without the journal, whose segments are recycled.</summary>
    public long Bytes()
    {
        // Exit code and errors are ignored: files may be removed while du runs.
        var start = new ProcessStartInfo("du", ["--summarize", "--block-size=1", "--exclude=.journal", folder])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var du = Process.Start(start)!;
        du.ErrorDataReceived += (_, _) => { };
        du.BeginErrorReadLine();
        return long.Parse(du.StandardOutput.ReadToEnd().Split('\t')[0], CultureInfo.InvariantCulture);
    }

    /// <summary>Kills the program and deletes its files.</summary>
    public void Dispose()
    {
        _process?.Kill(entireProcessTree: true);
        _process?.WaitForExit();
        _process?.Dispose();
        _process = null;
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static BlockingCollection<Action> CreateStartThread()
    {
        var starts = new BlockingCollection<Action>();
        var thread = new Thread(() =>
        {
            foreach (var start in starts.GetConsumingEnumerable())
            {
                start();
            }
        });
        thread.IsBackground = true;
        thread.Start();
        return starts;
    }

    private IEnumerable<int> Processes() => ProcessTree(_process!.Id);

    private static IEnumerable<int> ProcessTree(int id)
    {
        var children = File.ReadAllText($"/proc/{id}/task/{id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return children.Select(int.Parse).SelectMany(ProcessTree).Prepend(id);
    }

    private static double Field(string file, string name)
    {
        var line = File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal));
        return double.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
