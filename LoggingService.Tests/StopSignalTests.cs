using System.Collections.Concurrent;
using System.Diagnostics;
using LoggingService.Files;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>Ctrl-C and a closed terminal are clean stops: the next start has nothing to replay.</summary>
public class StopSignalTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Signals.Interrupt, "demo")]
    [InlineData(Signals.Terminate, "demo")]
    [InlineData(Signals.Interrupt, "demo", "--chat")]
    [InlineData(Signals.Hangup, "demo")]
    [InlineData(Signals.Hangup, "demo", "--chat")]
    [InlineData(Signals.Hangup, "--urls", "http://127.0.0.1:0")]
    public async Task A_signal_at_a_terminal_is_a_clean_stop(int signal, params string[] arguments)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "script is util-linux's.");
        using var folder = TempFolder.ForCaller();
        var logs = folder["logs"];
        using var terminal = StartInTerminal(folder, [.. arguments, "--logs", logs]);
        var output = new ConcurrentQueue<string>();
        var outputRead = ReadAsync(terminal.StandardOutput, output);
        if (arguments[0] == "demo")
        {
            // Events that no checkpoint has synced yet.
            await Wait.UntilAsync(() => LogFolder.Segments(logs).Length > 0, "an event is in the journal");
        }
        else
        {
            await Wait.UntilAsync(() => output.Any(line => line.Contains("Writing logs to", StringComparison.Ordinal)), "the service runs");
        }

        ChildProcess.Send(int.Parse(LockedBy(logs)), signal);
        await terminal.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation);

        await outputRead;
        Assert.True(terminal.ExitCode == 0, $"exit code {terminal.ExitCode}: {string.Join('\n', output)}");
        Assert.Contains(output, line => line.Contains("Service stopped", StringComparison.Ordinal));
        Assert.DoesNotContain(output, line => line.StartsWith("   at ", StringComparison.Ordinal));
        Assert.Empty(LogFolder.Segments(logs));
    }

    [Fact]
    public async Task Without_a_terminal_SIGHUP_is_no_stop()
    {
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FakeHomeserver();
        await using var service = await RunningService.StartAsync(folder, homeserver);

        service.Process.Send(Signals.Hangup);

        // The signal is handled before a later SIGTERM, by the same thread.
        Assert.Equal(200, await service.PushAsync(Some.Message(Some.RoomId())));
        Assert.False(service.Process.HasExited);
        Assert.Equal(0, await service.Process.StopAsync());
        Assert.Contains(service.Process.Output, line => line.EndsWith("Service stopped", StringComparison.Ordinal));
    }

    private static async Task ReadAsync(StreamReader reader, ConcurrentQueue<string> lines)
    {
        while (await reader.ReadLineAsync(Cancellation) is { } line)
        {
            lines.Enqueue(line);
        }
    }

    private static Process StartInTerminal(TempFolder folder, string[] arguments)
    {
        var command = string.Join(' ', ServiceProcess.Program.Concat(arguments).Select(argument => $"'{argument}'"));

        // A shell ignores SIGINT for what it runs in the background, and so would the service.
        command = $"exec env --default-signal=INT {command}";
        var start = new ProcessStartInfo("script", ["-qefc", command, "/dev/null"]) { WorkingDirectory = folder.Path };
        start.Environment["TERM"] = "dumb";

        // Standard input stays open: its end would end the chat.
        return ChildProcess.Start(start, input: null);
    }

    private static string LockedBy(string logs) => Posix.ReadIgnoringLock($"{logs}/.lock")!;
}
