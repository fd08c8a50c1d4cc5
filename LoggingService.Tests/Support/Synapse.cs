using System.Diagnostics;
using System.Globalization;

namespace LoggingService.Tests.Support;

/// <summary>
/// A running Synapse, named localhost, with one application service and a SQLite database, on 127.0.0.1 only, without
/// federation and without rate limits that a test could reach. It lives in namespaces of its own: nothing of it outlives
/// the test process.
/// </summary>
internal sealed class Synapse : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly TempFolder _data;
    private Process? _process;
    private int _processId;

    private Synapse(TempFolder data, int port) => (_data, Url) = (data, new Uri($"http://127.0.0.1:{port}"));

    /// <summary>Where clients and the application service reach it; the same after <see cref="StartProcessAsync"/>.</summary>
    public Uri Url { get; }

    /// <summary>What it has logged so far, over all of its starts.</summary>
    public string Log => File.Exists(_data["homeserver.log"]) ? File.ReadAllText(_data["homeserver.log"]) : "";

    /// <summary>
    /// Starts a new Synapse and waits until it answers. Skips the test where there can be none
    /// (<see cref="SynapseInstallation.SkipReason"/>).
    /// </summary>
    /// <remarks>
    /// To be called in a test, not in a fixture: xunit takes a skip in a fixture for a failure. A start takes about a
    /// second, so each test can have its own.
    /// </remarks>
    /// <param name="registrationYaml">The text of the application service's registration.</param>
    /// <param name="moreYaml">More of homeserver.yaml: a top-level key here replaces ours.</param>
    /// <exception cref="InvalidOperationException">It ended, or didn't answer in time; the message has its log's end.</exception>
    public static async Task<Synapse> StartAsync(string registrationYaml, string moreYaml = "{}")
    {
        await SynapseInstallation.EnsureAsync();
        var port = FreePort.Next();
        var synapse = new Synapse(TempFolder.ForCaller(), port);
        try
        {
            await File.WriteAllTextAsync(synapse._data["registration.yaml"], registrationYaml);
            await File.WriteAllTextAsync(synapse._data["more.yaml"], moreYaml);
            var (exitCode, output) = await ChildProcess.RunAsync(SynapseInstallation.Script, ["configure", synapse._data.Path, $"{port}"]);
            Assert.True(exitCode == 0, output);
            await synapse.StartProcessAsync();
            return synapse;
        }
        catch
        {
            await synapse.DisposeAsync();
            throw;
        }
    }

    /// <summary>Registers a user, who is logged in thereby.</summary>
    public Task<SynapseUser> RegisterAsync(string localpart) => SynapseUser.RegisterAsync(Url, localpart);

    /// <summary>Gives it another copy of the registration, which it reads at its next start.</summary>
    public Task ReplaceRegistrationAsync(string yaml) => File.WriteAllTextAsync(_data["registration.yaml"], yaml);

    /// <summary>Starts it, on the data that is there, and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">It ended, or didn't answer in time; the message has its log's end.</exception>
    public async Task StartProcessAsync()
    {
        if (_process is not null)
            throw new InvalidOperationException("Synapse is running.");

        var logged = Log.Length;
        _process = ChildProcess.Start(new ProcessStartInfo(SynapseInstallation.Script, ["run", _data.Path]));
        try
        {
            using var limit = new CancellationTokenSource(StartLimit);
            var processId = await _process.StandardOutput.ReadLineAsync(limit.Token);
            _processId = processId is null ? throw Failed("ended") : int.Parse(processId, CultureInfo.InvariantCulture);
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            while (!await AnswersAsync(http))
            {
                if (_process.HasExited)
                    throw Failed("ended");
                if (limit.IsCancellationRequested)
                    throw Failed($"didn't answer for {StartLimit.TotalSeconds} s");
                await Task.Delay(TimeSpan.FromMilliseconds(50));
            }
        }
        catch
        {
            await KillAsync();
            throw;
        }

        InvalidOperationException Failed(string how) =>
            new($"Synapse {how}. The end of its log:\n{Tail(Log[logged..], lines: 40)}");
    }

    /// <summary>Stops it as an init system would: SIGTERM, and time to finish.</summary>
    /// <exception cref="InvalidOperationException">It didn't end in time, or ended with an error.</exception>
    public async Task StopAsync()
    {
        if (_process is not { } process)
            return;

        ChildProcess.Terminate(_processId);
        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
            throw new InvalidOperationException($"Synapse didn't stop. The end of its log:\n{Tail(Log, lines: 40)}");
        }

        var exitCode = process.ExitCode;
        Forget();
        if (exitCode != 0)
            throw new InvalidOperationException($"Synapse stopped with {exitCode}. The end of its log:\n{Tail(Log, lines: 40)}");
    }

    /// <summary>Ends it at once (SIGKILL), with whatever it was doing.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process)
            return;

        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        Forget();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _data.Dispose();
    }

    private async Task<bool> AnswersAsync(HttpClient http)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(Url, "/_matrix/client/versions"));
            return response.IsSuccessStatusCode && !_process!.HasExited;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private void Forget()
    {
        _process?.Dispose();
        _process = null;
    }

    private static string Tail(string log, int lines) => string.Join('\n', log.TrimEnd().Split('\n').TakeLast(lines));
}
