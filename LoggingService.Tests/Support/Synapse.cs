using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>
/// A running Synapse with one application service and a SQLite database, on 127.0.0.1 only, without federation and
/// without rate limits that a test could reach. It lives in namespaces of its own: nothing of it outlives the test
/// process.
/// </summary>
public sealed class Synapse : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    // The old /proc still knows the id by which the test process can reach us. The installation is shared by all
    // Synapses, so it is read-only for each.
    private const string Run =
        """
        set -eu
        root=$1 data=$2
        exec 2>>"$data/homeserver.log"
        read -r pid rest </proc/self/stat
        mount --bind "$root" "$root"
        mount -o remount,bind,ro "$root"
        mount --rbind /dev "$root/dev"
        mount -t proc proc "$root/proc"
        mount -t tmpfs tmpfs "$root/tmp"
        mount --bind "$data" "$root/mnt"
        echo "$pid"
        exec 1>&2
        exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin LANG=C.UTF-8 HOME=/tmp PYTHONDONTWRITEBYTECODE=1 \
            python3 -m synapse.app.homeserver -c /mnt/homeserver.yaml -c /mnt/more.yaml
        """;

    private readonly TempFolder _data;
    private readonly string _installation;
    private Process? _process;
    private int _processId;

    private Synapse(string installation, TempFolder data, string serverName, int port)
    {
        _installation = installation;
        _data = data;
        ServerName = serverName;
        Url = new Uri($"http://127.0.0.1:{port}");
    }

    /// <summary>The domain in the ids of its users and in its aliases.</summary>
    public string ServerName { get; }

    /// <summary>Where clients and the application service reach it; the same after <see cref="StartAgainAsync"/>.</summary>
    public Uri Url { get; }

    /// <summary>What it has logged so far, over all of its starts.</summary>
    public string Log => File.Exists(_data["homeserver.log"]) ? File.ReadAllText(_data["homeserver.log"]) : "";

    /// <summary>
    /// Starts a new Synapse and waits until it answers. Skips the test where there can be none
    /// (<see cref="SynapseInstallation.WhyNot"/>).
    /// </summary>
    /// <remarks>
    /// To be called in a test, not in a fixture: xunit takes a skip in a fixture for a failure. A start takes about a
    /// second, so each test can have its own.
    /// </remarks>
    /// <param name="registrationYaml">The text of the application service's registration.</param>
    /// <param name="serverName">The domain.</param>
    /// <param name="moreYaml">More of homeserver.yaml: a top-level key here replaces ours.</param>
    /// <exception cref="InvalidOperationException">It ended, or didn't answer in time; the message has its log's end.</exception>
    public static async Task<Synapse> StartAsync(
        string registrationYaml, string serverName = "localhost", string moreYaml = "{}")
    {
        Assert.SkipWhen(SynapseInstallation.WhyNot is not null, SynapseInstallation.WhyNot ?? "");
        var installation = await SynapseInstallation.EnsureAsync();
        var port = FreePort.Next();
        var synapse = new Synapse(installation, TempFolder.ForCaller(), serverName, port);
        try
        {
            await File.WriteAllTextAsync(synapse._data["registration.yaml"], registrationYaml);
            await File.WriteAllTextAsync(synapse._data["more.yaml"], moreYaml);
            await File.WriteAllTextAsync(synapse._data["homeserver.yaml"], Configuration(serverName, port));
            await synapse.StartAgainAsync();
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
    public Task GiveRegistrationAsync(string yaml) => File.WriteAllTextAsync(_data["registration.yaml"], yaml);

    /// <summary>Starts it, on the data that is there, and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">It ended, or didn't answer in time; the message has its log's end.</exception>
    public async Task StartAgainAsync()
    {
        if (_process is not null)
            throw new InvalidOperationException("Synapse is running.");

        var logged = Log.Length;
        _process = ChildProcess.Start(new ProcessStartInfo(
            "unshare",
            ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", Run, "sh", _installation, _data.Path]));
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

    // JSON is YAML too.
    private static string Configuration(string serverName, int port)
    {
        var unlimited = new { per_second = 100_000, burst_count = 100_000 };
        return JsonSerializer.Serialize(new
        {
            server_name = serverName,
            public_baseurl = $"http://127.0.0.1:{port}/",
            listeners = new[]
            {
                new
                {
                    port,
                    type = "http",
                    bind_addresses = new[] { "127.0.0.1" },
                    resources = new[] { new { names = new[] { "client" } } },
                },
            },
            app_service_config_files = new[] { "/mnt/registration.yaml" },
            database = new { name = "sqlite3", args = new { database = "/mnt/homeserver.db" } },
            media_store_path = "/mnt/media",
            signing_key = $"ed25519 a_test {Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=')}",
            macaroon_secret_key = Convert.ToHexString(RandomNumberGenerator.GetBytes(32)),
            form_secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(32)),
            trusted_key_servers = Array.Empty<object>(),
            suppress_key_server_warning = true,
            report_stats = false,
            enable_registration = true,
            enable_registration_without_verification = true,
            bcrypt_rounds = 4,
            presence = new { enabled = false },
            rc_message = unlimited,
            rc_registration = unlimited,
            rc_registration_token_validity = unlimited,
            rc_login = new { address = unlimited, account = unlimited, failed_attempts = unlimited },
            rc_admin_redaction = unlimited,
            rc_joins = new { local = unlimited, remote = unlimited },
            rc_joins_per_room = unlimited,
            rc_invites = new { per_room = unlimited, per_user = unlimited, per_issuer = unlimited },
            rc_media_create = unlimited,
            rc_room_creation = unlimited,
            rc_user_directory = unlimited,
            rc_presence = new { per_user = unlimited },
        });
    }
}
