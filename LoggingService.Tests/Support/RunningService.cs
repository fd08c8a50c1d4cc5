using System.Net.Http.Headers;
using System.Text;

namespace LoggingService.Tests.Support;

/// <summary>A service process to push transactions to.</summary>
internal sealed class RunningService : IAsyncDisposable
{
    private readonly Lazy<AuthenticationHeaderValue> _token;
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });

    private RunningService(ServiceProcess process, string url, string logs, Func<string?> getToken)
    {
        Process = process;
        Logs = logs;
        Url = url;
        _http.BaseAddress = new Uri(url);
        _token = new(() => new("Bearer", getToken()));
    }

    public ServiceProcess Process { get; }

    public string Logs { get; }

    public string Url { get; }

    /// <summary>The address of the admin listener; <c>null</c> if it is off.</summary>
    public string? Admin { get; private set; }

    /// <summary>Starts the service and waits until it listens.</summary>
    /// <param name="folder">The working directory, which gets a registration.</param>
    /// <param name="homeserver">The homeserver that the service calls.</param>
    /// <param name="under">A program that executes the service, with arguments, such as <c>prlimit --nofile=99</c>.</param>
    public static async Task<RunningService> StartAsync(TempFolder folder, FakeHomeserver homeserver, params string[] under)
    {
        var service = Start(folder, homeserver, admin: null, under);
        await service.WaitUntilListeningAsync();
        return service;
    }

    /// <summary>Starts the service with an admin listener, and waits until it listens for the homeserver.</summary>
    /// <inheritdoc cref="StartAsync(TempFolder, FakeHomeserver, string[])"/>
    public static async Task<RunningService> StartMonitoredAsync(TempFolder folder, FakeHomeserver homeserver, params string[] under)
    {
        var service = Start(folder, homeserver, $"http://127.0.0.1:{FreePort.Next()}", under);
        await service.WaitUntilListeningAsync();
        return service;
    }

    /// <summary>Starts the service, and waits for nothing.</summary>
    /// <param name="admin">The address of the admin listener; <c>null</c> for none.</param>
    /// <inheritdoc cref="StartAsync(TempFolder, FakeHomeserver, string[])"/>
    public static RunningService Start(TempFolder folder, FakeHomeserver homeserver, string? admin, params string[] under)
    {
        File.WriteAllText(folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        File.SetUnixFileMode(folder["registration.yaml"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        homeserver.Service = url;
        string[] monitored = admin is null ? [] : ["--admin", admin];
        var process = ServiceProcess.StartUnder(
            under, folder.Path, ["--homeserver", homeserver.Address, "--urls", url, .. monitored]);
        return new RunningService(process, url, folder["logs"], () => ServiceUnderTest.HsToken) { Admin = admin };
    }

    /// <summary>Waits until a service that was started listens.</summary>
    /// <param name="getToken">The hs_token; the service may create its registration first.</param>
    public static async Task<RunningService> ConnectAsync(ServiceProcess process, string url, string logs, Func<string?> getToken)
    {
        var service = new RunningService(process, url, logs, getToken);
        await service.WaitUntilListeningAsync();
        return service;
    }

    public async Task WaitUntilListeningAsync()
    {
        while (true)
        {
            try
            {
                using var response = await _http.GetAsync("/", TestContext.Current.CancellationToken);
                return;
            }
            catch (HttpRequestException) when (!Process.HasExited)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>Asks for the room of an alias, as a homeserver does when a user joins it.</summary>
    public async Task<int> QueryAliasAsync(string alias)
    {
        var target = $"/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}";
        using var request = new HttpRequestMessage(HttpMethod.Get, target);
        request.Headers.Authorization = _token.Value;
        using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }

    /// <summary>Gets a path of the admin listener.</summary>
    public async Task<(int Status, string Body)> GetAdminAsync(string path)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var response = await http.GetAsync(Admin + path, TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Gets the metrics, once a condition holds.</summary>
    public async Task<MetricsText> GetMetricsAsync(Func<MetricsText, bool>? until = null)
    {
        var end = DateTime.UtcNow.AddSeconds(30);
        while (true)
        {
            var (status, text) = await GetAdminAsync("/metrics");
            Assert.Equal(200, status);
            var metrics = new MetricsText(text);
            if (until?.Invoke(metrics) != false)
            {
                return metrics;
            }

            Assert.True(DateTime.UtcNow < end, text);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Pushes a transaction of events, each given as JSON, and returns the status of the response.</summary>
    /// <exception cref="InvalidOperationException">There was no response; the message contains the service's output.</exception>
    public async Task<int> PushAsync(params IEnumerable<string> events)
    {
        using var content = new StringContent($"{{\"events\":[{string.Join(',', events)}]}}", Encoding.UTF8, "application/json");
        try
        {
            var target = $"/_matrix/app/v1/transactions/{Guid.NewGuid():N}";
            using var request = new HttpRequestMessage(HttpMethod.Put, target) { Content = content };
            request.Headers.Authorization = _token.Value;
            using var response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
            return (int)response.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException { InnerException: TimeoutException })
        {
            throw Process.Failed("didn't respond", e);
        }
    }

    /// <summary>Retries the push, as a homeserver does.</summary>
    public async Task PushUntilAcceptedAsync(params IEnumerable<string> events)
    {
        for (var attempt = 0; await PushAsync(events) != 200; attempt++)
        {
            Assert.True(attempt < 20, Process.Failed("didn't accept the transaction").Message);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Process.DisposeAsync();
    }
}
