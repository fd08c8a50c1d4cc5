using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Bench;

/// <summary>A program that is measured: how it is started, and what it takes.</summary>
/// <param name="name">As the tables call it.</param>
/// <param name="command">Its command line, with the port that it shall listen on.</param>
/// <param name="homeserver">Where it reaches the homeserver.</param>
/// <param name="folder">Its working directory, for it alone.</param>
internal sealed class Contender(string name, Func<int, string[]> command, string homeserver, string folder) : IDisposable
{
    // The kernel takes the end of the thread that started a process for the end of its parent: one that stays starts them all.
    private static readonly BlockingCollection<Action> Starts = StartingThread();
    private Process? _process;

    public string Name => name;

    /// <summary>Where it listens while it runs.</summary>
    public int Port { get; private set; }

    /// <summary>Starts it.</summary>
    /// <returns>Seconds from the start to its first 200.</returns>
    /// <exception cref="TimeoutException">It doesn't answer.</exception>
    public async Task<double> StartAsync()
    {
        Directory.CreateDirectory(folder);
        Port = FreePort();
        var line = command(Port);
        var start = new ProcessStartInfo("setpriv", ["--pdeathsig", "KILL", "--", .. line]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HOMESERVER"] = homeserver;
        var clock = Stopwatch.StartNew();
        var started = new TaskCompletionSource<Process>();
        Starts.Add(() => started.SetResult(Process.Start(start)!));
        _process = await started.Task;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, e) => LastError = string.IsNullOrEmpty(e.Data) ? LastError : e.Data;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using var connection = new Connection(Port);
        while (true)
        {
            try
            {
                await connection.PutAsync($"start{clock.ElapsedTicks}", "{\"events\":[]}"u8.ToArray());
                return clock.Elapsed.TotalSeconds;
            }
            catch (SocketException) when (!_process.HasExited && clock.Elapsed < TimeSpan.FromSeconds(30))
            {
                await Task.Delay(2);
            }
            catch (SocketException)
            {
                throw new TimeoutException($"{name} doesn't answer. {LastError}");
            }
        }
    }

    /// <summary>What it last wrote to its standard error.</summary>
    public string LastError { get; private set; } = "";

    /// <summary>
    /// Its memory and its children's, in MB, as if nothing else ran: what contenders share (the limit with the limit that doesn't
    /// sync, node with node) counts whole for each, what its own processes share once.
    /// </summary>
    public double Megabytes()
    {
        var processes = Processes().ToList();
        return (processes.Sum(id => Field($"/proc/{id}/smaps_rollup", "Pss_Anon:") + Field($"/proc/{id}/smaps_rollup", "Pss_Shmem:"))
            + processes.Max(id => Field($"/proc/{id}/status", "RssFile:"))) / 1024;
    }

    /// <summary>Seconds of CPU that it and its children have taken.</summary>
    public double CpuSeconds() => Processes().Sum(id =>
    {
        var fields = File.ReadAllText($"/proc/{id}/stat").Split(')')[^1].Split(' ');
        return (long.Parse(fields[12], CultureInfo.InvariantCulture) + long.Parse(fields[13], CultureInfo.InvariantCulture)) / 100.0;
    });

    /// <summary>Bytes on the disk of the files that it has made; not of a journal, which is emptied again and again.</summary>
    public long Bytes()
    {
        // Files may go while they are counted: that is no error.
        using var du = Process.Start(new ProcessStartInfo("du", ["--summarize", "--block-size=1", "--exclude=.journal", folder]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        du.ErrorDataReceived += (_, _) => { };
        du.BeginErrorReadLine();
        return long.Parse(du.StandardOutput.ReadToEnd().Split('\t')[0], CultureInfo.InvariantCulture);
    }

    /// <summary>Stops it, and removes its files.</summary>
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

    private static BlockingCollection<Action> StartingThread()
    {
        var starts = new BlockingCollection<Action>();
        new Thread(() =>
        {
            foreach (var start in starts.GetConsumingEnumerable())
            {
                start();
            }
        })
        { IsBackground = true }.Start();
        return starts;
    }

    private IEnumerable<int> Processes()
    {
        IEnumerable<int> WithChildren(int id) =>
            File.ReadAllText($"/proc/{id}/task/{id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).SelectMany(WithChildren).Prepend(id);
        return WithChildren(_process!.Id);
    }

    private static double Field(string file, string name) =>
        double.Parse(File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
