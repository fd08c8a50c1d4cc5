using System.Diagnostics;

namespace LoggingService.Tests.Support;

/// <summary>
/// Makes system calls of a running process fail, or delays them, by strace, until disposed. Without strace the test is
/// skipped; in CI it fails.
/// </summary>
internal sealed class SyscallFaults : IAsyncDisposable
{
    private readonly Process _strace;

    private SyscallFaults(Process strace) => _strace = strace;

    /// <summary>Makes system calls fail from now on.</summary>
    /// <param name="processId">The process.</param>
    /// <param name="calls">Names of system calls, separated by commas.</param>
    /// <param name="error">The error, such as <c>EIO</c>.</param>
    /// <param name="paths">If given, only calls that access one of these paths, which needn't exist yet.</param>
    public static Task<SyscallFaults> InjectErrorAsync(int processId, string calls, string error, params IEnumerable<string> paths) =>
        InjectAsync(processId, calls, $"error={error}", paths);

    /// <summary>Injects whatever strace supports: <c>error=EIO:delay_enter=300000</c>.</summary>
    public static async Task<SyscallFaults> InjectAsync(int processId, string calls, string injection, params IEnumerable<string> paths)
    {
        List<string> arguments =
            ["-f", "-p", $"{processId}", "-e", $"trace={calls}", "-e", $"inject={calls}:{injection}", "-o", "/dev/null"];
        arguments.AddRange(paths.SelectMany(path => new[] { "-P", path }));
        var strace = ChildProcess.Start(new ProcessStartInfo("strace", arguments));
        var output = new List<string>();
        while (await strace.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            output.Add(line);
            if (line.EndsWith("attached", StringComparison.Ordinal) || line.Contains("attached with", StringComparison.Ordinal))
            {
                _ = strace.StandardError.ReadToEndAsync(CancellationToken.None);
                return new(strace);
            }
        }

        strace.Dispose();
        Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"strace is required in CI: {string.Join('\n', output)}");
        Assert.Skip($"strace can't be used here: {string.Join('\n', output)}");
        throw new UnreachableException();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // strace detaches; the process continues.
        ChildProcess.Terminate(_strace.Id);
        await _strace.WaitForExitAsync();
        _strace.Dispose();
    }
}
