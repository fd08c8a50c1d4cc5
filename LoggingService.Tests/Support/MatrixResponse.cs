using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>What a homeserver answered to one request of the client API.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">The JSON of the body.</param>
internal sealed record MatrixResponse(int Status, JsonElement Body)
{
    /// <summary>Whether the homeserver did what it was asked for.</summary>
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>The Matrix error (<c>M_FORBIDDEN</c>), or <c>null</c>.</summary>
    public string? ErrorCode => Find("errcode");

    /// <summary>The room id of the answer to a join or a look-up, or <c>null</c>.</summary>
    public string? RoomId => Find("room_id");

    /// <summary>This answer, if it is a success.</summary>
    /// <exception cref="HttpRequestException">It isn't.</exception>
    public MatrixResponse EnsureSuccess() =>
        IsSuccess ? this : throw new HttpRequestException($"The homeserver answered {Status}: {Body.GetRawText()}");

    /// <summary>The string under this name, which must be there.</summary>
    /// <exception cref="HttpRequestException">The answer is no success.</exception>
    public string Get(string name) => EnsureSuccess().Body.GetProperty(name).GetString()!;

    private string? Find(string name) =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(name, out var value) ? value.GetString() : null;
}
