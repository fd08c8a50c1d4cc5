using System.Diagnostics;

namespace LoggingService.Tests.Support;

/// <summary>System calls of a running process that fail or are slow, made to by strace, until it is disposed of. Skips the test where there is no strace, which fails it in CI.</summary>
internal sealed class SyscallFaults : IAsyncDisposable
{
    private readonly Process _strace;

    private SyscallFaults(Process strace) => _strace = strace;

    /// <summary>Has calls fail from now on.</summary>
    /// <param name="processId">The process.</param>
    /// <param name="calls">Names of system calls with commas between them.</param>
    /// <param name="error">The error, as <c>EIO</c>.</param>
    /// <param name="paths">Only where they have to do with one of these; they need not be there yet.</param>
    public static Task<SyscallFaults> InjectErrorAsync(int processId, string calls, string error, params IEnumerable<string> paths) =>
        InjectAsync(processId, calls, $"error={error}", paths);

    /// <summary>As the other one, with whatever strace can inject: <c>error=EIO:delay_enter=300000</c>.</summary>
    public static async Task<SyscallFaults> InjectAsync(int processId, string calls, string injection, params IEnumerable<string> paths)
    {
        List<string> arguments = ["-f", "-p", $"{processId}", "-e", $"trace={calls}", "-e", $"inject={calls}:{injection}", "-o", "/dev/null"];
        arguments.AddRange(paths.SelectMany(path => new[] { "-P", path }));
        var strace = ChildProcess.Start(new ProcessStartInfo("strace", arguments));
        var said = new List<string>();
        while (await strace.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            said.Add(line);
            if (line.EndsWith("attached", StringComparison.Ordinal) || line.Contains("attached with", StringComparison.Ordinal))
            {
                _ = strace.StandardError.ReadToEndAsync(CancellationToken.None);
                return new(strace);
            }
        }

        strace.Dispose();
        Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"There must be a strace in CI: {string.Join('\n', said)}");
        Assert.Skip($"There is no strace here: {string.Join('\n', said)}");
        throw new UnreachableException();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Lets go of the process, which goes on.
        ChildProcess.Terminate(_strace.Id);
        await _strace.WaitForExitAsync();
        _strace.Dispose();
    }
}
