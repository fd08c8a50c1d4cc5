using System.Diagnostics;

namespace LoggingService.Tests.Support;

/// <summary>
/// Makes system calls of a running process fail, or delays them, by strace, until disposed. Without strace the test is
/// skipped; in CI it fails.
/// </summary>
internal sealed class SyscallFaults : IAsyncDisposable
{
    private readonly Process _strace;
    private readonly string _calls;

    private SyscallFaults(Process strace, string calls)
    {
        _strace = strace;
        _calls = calls;
    }

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
        var output = Path.GetTempFileName();
        List<string> arguments =
            ["-f", "-y", "-p", $"{processId}", "-e", $"trace={calls}", "-e", $"inject={calls}:{injection}", "-o", output];
        arguments.AddRange(paths.SelectMany(path => new[] { "-P", path }));
        var strace = ChildProcess.Start(new ProcessStartInfo("strace", arguments));
        var messages = new List<string>();
        while (await strace.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            messages.Add(line);
            if (line.EndsWith("attached", StringComparison.Ordinal) || line.Contains("attached with", StringComparison.Ordinal))
            {
                _ = strace.StandardError.ReadToEndAsync(CancellationToken.None);
                return new(strace, output);
            }
        }

        strace.Dispose();
        Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"strace is required in CI: {string.Join('\n', messages)}");
        Assert.Skip($"strace can't be used here: {string.Join('\n', messages)}");
        throw new UnreachableException();
    }

    /// <summary>How many calls with a text, such as a path, were made to fail.</summary>
    public int Count(string text) =>
        File.ReadLines(_calls).Count(line => line.Contains(text, StringComparison.Ordinal) && line.Contains("INJECTED"));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // strace detaches; the process continues.
        ChildProcess.Terminate(_strace.Id);
        await _strace.WaitForExitAsync();
        _strace.Dispose();
        File.Delete(_calls);
    }
}
