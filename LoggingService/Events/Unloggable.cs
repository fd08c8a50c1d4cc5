namespace LoggingService.Events;

/// <summary>Pushed bytes that can't be logged. They are kept in the quarantine and acknowledged, since a retry can't help.</summary>
/// <param name="Reason">What it is; repeats none of the bytes.</param>
/// <param name="IsJson">The bytes are one JSON value.</param>
internal readonly record struct Unloggable(string Reason, ReadOnlyMemory<byte> Bytes, bool IsJson);
