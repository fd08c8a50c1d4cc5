using System.Net.Http.Headers;
using System.Text;

namespace LoggingService.Tests.Support;

/// <summary>The service as a process that transactions are pushed to.</summary>
internal sealed class RunningService : IAsyncDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });

    private RunningService(ServiceProcess process, string url)
    {
        Process = process;
        _http.BaseAddress = new Uri(url);
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
    }

    /// <summary>The process.</summary>
    public ServiceProcess Process { get; }

    /// <summary>Starts it on a folder's <c>logs</c> and waits until it listens.</summary>
    /// <param name="folder">Its working directory; the registration is made in it.</param>
    /// <param name="homeserver">The homeserver that it calls.</param>
    /// <param name="under">A program that runs it, with its arguments, as <c>prlimit --nofile=99</c>.</param>
    public static async Task<RunningService> StartAsync(TempFolder folder, FakeHomeserver homeserver, params string[] under)
    {
        await File.WriteAllTextAsync(folder["registration.yaml"], ServiceUnderTest.RegistrationText(), TestContext.Current.CancellationToken);
        File.SetUnixFileMode(folder["registration.yaml"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        var process = ServiceProcess.StartUnder(under, folder.Path, "--homeserver", homeserver.Address, "--urls", url);
        var service = new RunningService(process, url);
        while (true)
        {
            try
            {
                using var answer = await service._http.GetAsync("/", TestContext.Current.CancellationToken);
                return service;
            }
            catch (HttpRequestException) when (!process.HasExited)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>Pushes a transaction of events, each given as JSON.</summary>
    /// <returns>The status of the answer.</returns>
    /// <exception cref="InvalidOperationException">There was none; the message has the service's output.</exception>
    public async Task<int> PushAsync(params IEnumerable<string> events)
    {
        using var content = new StringContent($"{{\"events\":[{string.Join(',', events)}]}}", Encoding.UTF8, "application/json");
        try
        {
            using var answer = await _http.PutAsync($"/_matrix/app/v1/transactions/{Guid.NewGuid():N}", content, TestContext.Current.CancellationToken);
            return (int)answer.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException { InnerException: TimeoutException })
        {
            throw Process.Failed("didn't answer", e);
        }
    }

    /// <summary>Pushes it again and again, as a homeserver does: a journal that must be emptied, and is being emptied, is a 5xx once more.</summary>
    public async Task PushUntilAcceptedAsync(params IEnumerable<string> events)
    {
        for (var attempt = 0; await PushAsync(events) != 200; attempt++)
        {
            Assert.True(attempt < 20, Process.Failed("didn't take it").Message);
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
