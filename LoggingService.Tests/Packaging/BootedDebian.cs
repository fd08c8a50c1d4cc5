using System.Diagnostics;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Packaging;

/// <summary>A Debian with systemd in a folder, booted by systemd-nspawn, with a network of its own; powered off when disposed.</summary>
internal sealed class BootedDebian : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private readonly Process _machine;
    private readonly Task<string> _console;
    private string _init = "";

    private BootedDebian(string folder)
    {
        _machine = ChildProcess.Start(new ProcessStartInfo(
            "systemd-nspawn",
            ["--directory", folder, "--boot", "--register=no", "--keep-unit", "--quiet", "--console=pipe", "--private-network"]));
        _console = _machine.StandardOutput.ReadToEndAsync();
    }

    /// <summary>Boots it, and waits until all its units have started.</summary>
    public static async Task<BootedDebian> BootAsync(string folder)
    {
        var debian = new BootedDebian(folder);
        try
        {
            await debian.WaitAsync("the boot", async () =>
            {
                debian._init = (await File.ReadAllTextAsync($"/proc/{debian._machine.Id}/task/{debian._machine.Id}/children"))
                    .Split(' ')[0];
                return debian._init != "" && (await debian.TryRunAsync("systemctl", "is-system-running")).Output.Trim() == "running";
            });
            return debian;
        }
        catch
        {
            await debian.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a command in it as root, which must succeed, and returns its output.</summary>
    public async Task<string> RunAsync(params string[] command) =>
        (await ProcessOutput.GetAsync("nsenter", ["--target", _init, "--all", .. command])).Trim();

    /// <summary>Runs a command in it as root.</summary>
    public Task<(int ExitCode, string Output)> TryRunAsync(params string[] command) =>
        ChildProcess.RunAsync("nsenter", ["--target", _init, "--all", .. command], TestContext.Current.CancellationToken);

    /// <summary>Runs a command of this machine in its network, which must succeed.</summary>
    public async Task<string> RunInNetworkAsync(params string[] command) =>
        (await ProcessOutput.GetAsync("nsenter", ["--target", _init, "--net", .. command])).Trim();

    public Task WaitForJournalAsync(string unit, string text) => WaitAsync(
        $"the line {text}",
        async () => (await RunAsync("journalctl", "--no-pager", "--unit", unit)).Contains(text, StringComparison.Ordinal));

    public async Task WaitAsync(string what, Func<Task<bool>> condition)
    {
        var end = DateTime.UtcNow + Limit;
        while (!await condition())
        {
            Assert.True(DateTime.UtcNow < end && !_machine.HasExited, $"Timed out: {what}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await ChildProcess.RunAsync("nsenter", ["--target", _init, "--all", "systemctl", "poweroff"], limit.Token);
            await _machine.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _machine.Kill(entireProcessTree: true);
        }

        await _console;
        _machine.Dispose();
    }
}
