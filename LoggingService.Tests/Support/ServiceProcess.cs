using System.Diagnostics;
using System.Text.RegularExpressions;

namespace LoggingService.Tests.Support;

/// <summary>The service as a user runs it, in a process of its own: <see cref="Program"/>.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    /// <summary>How long a wait may last unless the caller says.</summary>
    public static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(30);

    /// <summary>The command: the published program that <c>LOGGING_SERVICE_PROGRAM</c> names, otherwise the ordinary build.</summary>
    public static readonly IReadOnlyList<string> Program =
        Environment.GetEnvironmentVariable("LOGGING_SERVICE_PROGRAM") is { Length: > 0 } published ? [published] :
        [
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            Path.Combine(AppContext.BaseDirectory, "LoggingService.dll"),
        ];

    private readonly Process _process;
    private readonly Task _bothStreamsRead;
    private readonly Lock _gate = new();
    private readonly List<string> _output = [];
    private readonly List<string> _standardOutput = [];
    private readonly List<string> _standardError = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServiceProcess(Process process)
    {
        _process = process;
        Id = process.Id;
        _bothStreamsRead = Task.WhenAll(
            ReadAsync(process.StandardOutput, _standardOutput), ReadAsync(process.StandardError, _standardError));
    }

    /// <summary>The process id.</summary>
    public int Id { get; }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>The lines that it wrote so far, to either stream, in the order in which they came.</summary>
    public IReadOnlyList<string> Output => Copy(_output);

    /// <summary>The lines that it wrote to its standard output so far.</summary>
    public IReadOnlyList<string> StandardOutput => Copy(_standardOutput);

    /// <summary>The lines that it wrote to its standard error so far.</summary>
    public IReadOnlyList<string> StandardError => Copy(_standardError);

    /// <summary>Starts the service, in this working directory and with these arguments.</summary>
    public static ServiceProcess Start(string workingDirectory, params IEnumerable<string> arguments) =>
        Start(workingDirectory, new Dictionary<string, string?>(), arguments);

    /// <summary>Starts the service with text on its standard input.</summary>
    public static ServiceProcess StartTyping(string input, string workingDirectory, params IEnumerable<string> arguments) =>
        Start(workingDirectory, new Dictionary<string, string?>(), arguments, input);

    /// <summary>Starts the service with more environment variables (<c>null</c>: without that one).</summary>
    public static ServiceProcess Start(
        string workingDirectory, IReadOnlyDictionary<string, string?> environment, params IEnumerable<string> arguments) =>
        Start(workingDirectory, environment, arguments, input: "");

    /// <summary>
    /// Starts the service under a program that watches or disturbs it, and becomes it: as <c>strace -D</c> with its options.
    /// </summary>
    public static ServiceProcess StartUnder(IReadOnlyList<string> program, string workingDirectory, params IEnumerable<string> arguments) =>
        Start(workingDirectory, new Dictionary<string, string?>(), arguments, input: "", program);

    /// <summary>Starts an installed service, the whole command, with the settings in its own <c>/etc</c>.</summary>
    public static ServiceProcess StartInstalled(IReadOnlyList<string> command, string workingDirectory) =>
        Start(command, workingDirectory, new Dictionary<string, string?> { [MachineSettings.Variable] = null }, input: "");

    private static ServiceProcess Start(
        string workingDirectory, IReadOnlyDictionary<string, string?> environment, IEnumerable<string> arguments, string input,
        IReadOnlyList<string>? under = null) =>
        Start([.. under ?? [], .. Program, .. arguments], workingDirectory, environment, input);

    private static ServiceProcess Start(
        IReadOnlyList<string> command, string workingDirectory, IReadOnlyDictionary<string, string?> environment, string input)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = workingDirectory,
        };

        // Variables of the developer's machine must not decide a test.
        foreach (var name in start.Environment.Keys.Where(IsForeign).ToList())
            start.Environment.Remove(name);
        // A killed runtime leaves its diagnostics socket behind.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new ServiceProcess(ChildProcess.Start(start, input));
    }

    /// <summary>Runs the service to its end, which must be one line on standard error, with this text.</summary>
    public static async Task AssertOneLineAsync(int exitCode, TempFolder folder, string expected, params string[] arguments)
    {
        await using var service = Start(folder.Path, arguments);
        await service.AssertOneLineAsync(exitCode, expected);
    }

    /// <summary>The service ends with one line on standard error, with this text.</summary>
    public async Task AssertOneLineAsync(int exitCode, string expected)
    {
        var actual = await WaitForExitAsync();
        Assert.True(actual == exitCode, $"exit code {actual}: {string.Join('\n', Output)}");
        Assert.Contains(expected, Assert.Single(StandardError), StringComparison.Ordinal);
        Assert.DoesNotContain(Output, line => line.StartsWith("   at ", StringComparison.Ordinal));
    }

    /// <summary>Waits for a line, on either stream, that matches this regular expression; it may have come already.</summary>
    /// <returns>The match.</returns>
    /// <exception cref="InvalidOperationException">It ended, or the time was up, without such a line: with its output.</exception>
    public async Task<Match> WaitForLineAsync(string pattern, TimeSpan? limit = null)
    {
        var end = Task.Delay(limit ?? DefaultLimit);
        while (true)
        {
            var isWhole = _bothStreamsRead.IsCompleted;
            Task changed;
            lock (_gate)
            {
                foreach (var line in _output)
                    if (Regex.Match(line, pattern) is { Success: true } match)
                        return match;
                changed = _changed.Task;
            }

            if (isWhole)
                throw Failed($"ended without a line like {pattern}");
            if (await Task.WhenAny(changed, _bothStreamsRead, end) == end)
                throw Failed($"wrote no line like {pattern}");
        }
    }

    /// <summary>Asks it to stop (SIGTERM).</summary>
    public void Terminate() => Send(Signals.Terminate);

    public void Send(int signal)
    {
        if (!_process.HasExited)
            ChildProcess.Send(Id, signal);
    }

    /// <summary>Ends it at once (SIGKILL), with whatever it was doing, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await WaitForExitAsync();
    }

    /// <summary>Asks it to stop (SIGTERM) and waits until it is gone.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="InvalidOperationException">It didn't end in time.</exception>
    public Task<int> StopAsync(TimeSpan? limit = null)
    {
        Terminate();
        return WaitForExitAsync(limit);
    }

    /// <summary>Waits until it has ended and all of its output is read.</summary>
    /// <returns>Its exit code; 128 + 9 after SIGKILL.</returns>
    /// <exception cref="InvalidOperationException">It didn't end in time; the message has its output.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan? limit = null)
    {
        using var end = new CancellationTokenSource(limit ?? DefaultLimit);
        try
        {
            await _process.WaitForExitAsync(end.Token);
            await _bothStreamsRead.WaitAsync(end.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            throw Failed("didn't end");
        }
    }

    /// <summary>What a test fails with: how the service failed it, and all that it wrote so far.</summary>
    public InvalidOperationException Failed(string how, Exception? cause = null) =>
        new($"The service {how}. What it wrote:\n{string.Join('\n', Output)}", cause);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader stream, List<string> lines)
    {
        while (await stream.ReadLineAsync() is { } line)
        {
            lock (_gate)
            {
                lines.Add(line);
                _output.Add(line);
                _changed.SetResult();
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    private List<string> Copy(List<string> lines)
    {
        lock (_gate)
            return [.. lines];
    }

    private static bool IsForeign(string name) =>
        name.StartsWith("ASPNETCORE_", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith("_PROXY", StringComparison.OrdinalIgnoreCase)
        || name is "DOTNET_ENVIRONMENT";
}
