using Polly.Timeout;

namespace LoggingService.Homeserver;

/// <summary>A failed call, without tokens. The reason is the homeserver's error message; without a status, why there is none.</summary>
internal sealed class HomeserverException(string call, int? status, string? errcode, string reason, Exception? inner = null)
    : Exception($"{call}: {Describe(status, errcode, reason)}", inner)
{
    public int? Status => status;

    public string? Errcode => errcode;

    public string Reason => reason;

    /// <summary>Status, errcode and reason, without the call.</summary>
    public string Response => Describe(status, errcode, reason);

    /// <summary>The status of our response to a ping, with <c>M_BAD_STATUS</c> (Application Service API, "Ping").</summary>
    public long? BadStatus { get; init; }

    /// <summary>The base address to which the response redirects; it is not followed.</summary>
    public string? RedirectedTo { get; init; }

    /// <summary>Whether there was no response in time: the call may have been executed, or still be.</summary>
    public bool IsTimeout => InnerException is TimeoutRejectedException or OperationCanceledException;

    /// <summary>Whether a retry may succeed: no response, a server error, or rate limiting.</summary>
    public bool IsTransient => status is null or >= 500 or 429;

    private static string Describe(int? status, string? errcode, string reason) =>
        string.Join(' ', ((string?[])[$"{status}", errcode, reason]).Where(part => !string.IsNullOrEmpty(part)));
}
