using Polly.Timeout;

namespace LoggingService.Homeserver;

/// <summary>A call to the homeserver's client API that didn't do what it was for.</summary>
/// <param name="call">The call, without tokens.</param>
/// <param name="status">The HTTP status of the answer; <c>null</c> where none came.</param>
/// <param name="errcode">The Matrix errcode; <c>null</c> where there is none.</param>
/// <param name="reason">What the homeserver says, or why no answer came.</param>
/// <param name="inner">What was thrown below.</param>
internal sealed class HomeserverException(string call, int? status, string? errcode, string reason, Exception? inner = null)
    : Exception($"{call}: {Words(status, errcode, reason)}", inner)
{
    /// <summary>The HTTP status of the answer; <c>null</c> where none came.</summary>
    public int? Status => status;

    /// <summary>The Matrix errcode; <c>null</c> where there is none.</summary>
    public string? Errcode => errcode;

    /// <summary>What the homeserver says, or why no answer came.</summary>
    public string Reason => reason;

    /// <summary>The status that the homeserver got from us, where it says so (<c>M_BAD_STATUS</c>; Application Service API, "Ping").</summary>
    public long? BadStatus { get; init; }

    /// <summary>Status, errcode and reason, as far as there are any.</summary>
    public string Answer => Words(status, errcode, reason);

    /// <summary>Whether no answer came in time: it may have been done, or be done yet.</summary>
    public bool IsTimeout => InnerException is TimeoutRejectedException or OperationCanceledException;

    /// <summary>Whether it may go better later: no answer, an error of the homeserver's, or too many requests.</summary>
    public bool IsPassing => status is null or >= 500 or 429;

    private static string Words(int? status, string? errcode, string reason) => string.Join(' ', ((string?[])[$"{status}", errcode, reason]).Where(word => !string.IsNullOrEmpty(word)));
}
