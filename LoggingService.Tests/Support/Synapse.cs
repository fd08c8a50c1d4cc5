using System.Diagnostics;
using System.Globalization;

namespace LoggingService.Tests.Support;

/// <summary>
/// A running Synapse with the server name localhost, one application service and a SQLite database; on 127.0.0.1 only,
/// without federation, and with rate limits above what tests reach. It runs in its own namespaces, so no process or mount
/// outlives the test process.
/// </summary>
internal sealed class Synapse : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly TempFolder _data;
    private Process? _process;
    private int _processId;

    private Synapse(TempFolder data, int port)
    {
        _data = data;
        Url = new Uri($"http://127.0.0.1:{port}");
    }

    /// <summary>The base URL, which a restart doesn't change.</summary>
    public Uri Url { get; }

    /// <summary>Synapse's log, over all starts.</summary>
    public string Log => File.Exists(_data["homeserver.log"]) ? File.ReadAllText(_data["homeserver.log"]) : "";

    /// <summary>
    /// Starts a new Synapse and waits until it responds. Skips the test where Synapse can't run
    /// (<see cref="SynapseInstallation.SkipReason"/>).
    /// </summary>
    /// <remarks>
    /// Must be called in a test, not in a fixture: xunit reports a skip in a fixture as a failure. A start takes about a
    /// second, so each test can have its own instance.
    /// </remarks>
    /// <param name="registrationYaml">The text of the application service's registration.</param>
    /// <param name="moreYaml">Top-level keys that override those of homeserver.yaml.</param>
    /// <exception cref="InvalidOperationException">It exited, or didn't respond in time; with the end of its log.</exception>
    public static async Task<Synapse> StartAsync(string registrationYaml, string moreYaml = "{}")
    {
        await SynapseInstallation.EnsureAsync();
        var port = FreePort.Next();
        var synapse = new Synapse(TempFolder.ForCaller(), port);
        try
        {
            await File.WriteAllTextAsync(synapse._data["registration.yaml"], registrationYaml);
            await File.WriteAllTextAsync(synapse._data["more.yaml"], moreYaml);
            string[] configure = ["configure", synapse._data.Path, $"{port}"];
            var (exitCode, output) = await ChildProcess.RunAsync(SynapseInstallation.Script, configure);
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

    /// <summary>Registers a user and logs in.</summary>
    public Task<SynapseUser> RegisterAsync(string localpart) => SynapseUser.RegisterAsync(Url, localpart);

    /// <summary>Replaces the copy of the registration, which Synapse reads when it starts.</summary>
    public Task ReplaceRegistrationAsync(string yaml) => File.WriteAllTextAsync(_data["registration.yaml"], yaml);

    /// <summary>Starts the process on the existing data and waits until it responds.</summary>
    /// <exception cref="InvalidOperationException">It exited, or didn't respond in time; with the end of its log.</exception>
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
            _processId = processId is null ? throw Failed("exited") : int.Parse(processId, CultureInfo.InvariantCulture);
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            while (!await RespondsAsync(http))
            {
                if (_process.HasExited)
                    throw Failed("exited");
                if (limit.IsCancellationRequested)
                    throw Failed($"didn't respond for {StartLimit.TotalSeconds} s");
                await Task.Delay(TimeSpan.FromMilliseconds(50));
            }
        }
        catch
        {
            await KillAsync();
            throw;
        }

        InvalidOperationException Failed(string problem) =>
            new($"Synapse {problem}. The end of its log:\n{Tail(Log[logged..], lines: 40)}");
    }

    /// <summary>Stops Synapse as an init system does: SIGTERM, and time to finish.</summary>
    /// <exception cref="InvalidOperationException">It didn't exit in time, or exited with an error.</exception>
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
        ReleaseProcess();
        if (exitCode != 0)
            throw new InvalidOperationException($"Synapse stopped with {exitCode}. The end of its log:\n{Tail(Log, lines: 40)}");
    }

    /// <summary>Kills Synapse (SIGKILL).</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process)
            return;

        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        ReleaseProcess();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _data.Dispose();
    }

    private async Task<bool> RespondsAsync(HttpClient http)
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

    private void ReleaseProcess()
    {
        _process?.Dispose();
        _process = null;
    }

    private static string Tail(string log, int lines) => string.Join('\n', log.TrimEnd().Split('\n').TakeLast(lines));
}
