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

    /// <summary>Starts the service and waits until it listens.</summary>
    /// <param name="folder">The working directory, which gets a registration.</param>
    /// <param name="homeserver">The homeserver that the service calls.</param>
    /// <param name="under">A program that executes the service, with arguments, such as <c>prlimit --nofile=99</c>.</param>
    public static async Task<RunningService> StartAsync(TempFolder folder, FakeHomeserver homeserver, params string[] under)
    {
        var registration = ServiceUnderTest.RegistrationText();
        await File.WriteAllTextAsync(folder["registration.yaml"], registration, TestContext.Current.CancellationToken);
        File.SetUnixFileMode(folder["registration.yaml"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        homeserver.Service = url;
        var process = ServiceProcess.StartUnder(under, folder.Path, "--homeserver", homeserver.Address, "--urls", url);
        return await ConnectAsync(process, url, folder["logs"], () => ServiceUnderTest.HsToken);
    }

    /// <summary>Waits until a service that was started listens.</summary>
    /// <param name="getToken">The hs_token; the service may create its registration first.</param>
    public static async Task<RunningService> ConnectAsync(ServiceProcess process, string url, string logs, Func<string?> getToken)
    {
        var service = new RunningService(process, url, logs, getToken);
        while (true)
        {
            try
            {
                using var response = await service._http.GetAsync("/", TestContext.Current.CancellationToken);
                return service;
            }
            catch (HttpRequestException) when (!process.HasExited)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
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
