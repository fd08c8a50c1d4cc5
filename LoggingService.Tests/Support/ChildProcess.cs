using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LoggingService.Tests.Support;

/// <summary>Processes that end with the test process, even when that is killed.</summary>
internal static class ChildProcess
{
    private static readonly BlockingCollection<Action> Starts = StartingThread();

    /// <summary>
    /// Starts a process whose output is piped to us, and whose standard input is a text. On Linux the kernel kills it when the
    /// test process ends, however that ends.
    /// </summary>
    /// <param name="what">The program.</param>
    /// <param name="input">The text; <c>null</c> keeps the standard input open.</param>
    public static Process Start(ProcessStartInfo what, string? input = "")
    {
        what.UseShellExecute = false;
        what.RedirectStandardInput = true;
        what.RedirectStandardOutput = true;
        what.RedirectStandardError = true;
        if (OperatingSystem.IsLinux())
        {
            foreach (var argument in new[] { what.FileName, "--", "KILL", "--pdeathsig" })
                what.ArgumentList.Insert(0, argument);
            what.FileName = "setpriv";
        }

        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Starts.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(what)!);
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        var process = started.Task.GetAwaiter().GetResult();
        if (input is not null)
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }

        return process;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Its exit code and all that it wrote, to either stream.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string program, IEnumerable<string> arguments, CancellationToken cancellation = default)
    {
        using var process = Start(new ProcessStartInfo(program, arguments));
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            var text = await output + await errors;
            await process.WaitForExitAsync(cancellation);
            return (process.ExitCode, text);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Asks a process to stop (SIGTERM).</summary>
    /// <returns>Whether the process was still there to be asked.</returns>
    public static bool Terminate(int processId) => Send(processId, Signals.Terminate);

    /// <returns>Whether the process was still there to get the signal.</returns>
    public static bool Send(int processId, int signal) => SendSignal(processId, signal) == 0;

    // The kernel takes the death of the thread that started a process for the death of the parent, and threads of the
    // pool come and go: one thread that never ends starts them all.
    private static BlockingCollection<Action> StartingThread()
    {
        var starts = new BlockingCollection<Action>();
        var thread = new Thread(() =>
        {
            foreach (var start in starts.GetConsumingEnumerable())
                start();
        })
        { IsBackground = true, Name = "Starts processes" };
        thread.Start();
        return starts;
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}
