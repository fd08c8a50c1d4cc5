using System.Net.Http.Headers;
using System.Text;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>A homeserver's client for a service process: a new connection for each request, and a timeout of a minute.</summary>
internal sealed class TransactionClient(string url) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero })
    {
        Timeout = TimeSpan.FromSeconds(60),
    };

    /// <summary>Sends a request and returns the status.</summary>
    public async Task<int> SendAsync(
        HttpMethod method, string target, string? body = null, CancellationToken cancellation = default)
    {
        using var request = new HttpRequestMessage(method, url + target);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", ServiceUnderTest.HsToken);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request, cancellation);
        return (int)response.StatusCode;
    }

    public Task<int> PushAsync(string id, IEnumerable<string> events, CancellationToken cancellation = default) =>
        SendAsync(HttpMethod.Put, $"/_matrix/app/v1/transactions/{id}", $"{{\"events\":[{string.Join(',', events)}]}}", cancellation);

    public Task<int> QueryAliasAsync(string alias) =>
        SendAsync(HttpMethod.Get, $"/_matrix/app/v1/rooms/{Uri.EscapeDataString(alias)}");

    public Task WaitUntilListeningAsync() => UntilAsync(() => SendAsync(HttpMethod.Post, "/_matrix/app/v1/ping", "{}"));

    /// <summary>Retries a transaction until it gets a 200.</summary>
    public Task PushUntilAcceptedAsync(string id, IReadOnlyList<string> events) => UntilAsync(() => PushAsync(id, events));

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static async Task UntilAsync(Func<Task<int>> send)
    {
        var end = DateTime.UtcNow.AddSeconds(30);
        while (true)
        {
            try
            {
                if (await send() == 200)
                    return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            Assert.True(DateTime.UtcNow < end, "The service didn't respond with 200");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
